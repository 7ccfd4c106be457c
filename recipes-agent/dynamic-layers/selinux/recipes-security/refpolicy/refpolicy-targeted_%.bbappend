# SPDX-License-Identifier: Apache-2.0
# Only in a distribution that asks for the agent's domain: elsewhere the policy stays as it is.
require ${@bb.utils.contains('DISTRO_FEATURES', 'lamadist-agent', 'refpolicy-lamadist-agent.inc', '', d)}
