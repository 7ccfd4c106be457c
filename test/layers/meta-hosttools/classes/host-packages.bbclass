# SPDX-License-Identifier: Apache-2.0
# A package is written without what it needs being built: the names of its dependencies stay as the recipe says them.
python () {
    d.delVarFlag('do_package_write_rpm', 'rdeptask')
}
