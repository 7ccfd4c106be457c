# SPDX-License-Identifier: Apache-2.0
# Whether what an image is made of fits where nodes will have it. wic compares with whole partitions, and only where it makes a
# disk; a root that leaves no room for LUKS2's header would be in a bundle, and its node would never finish its first boot.
LAMADIST_ROOT_ENCRYPTION ?= "off"
LAMADIST_LUKS_HEADER_MIB ?= "16"

def lamadist_oversized(d, root, hash_tree):
    """Why these two files cannot be on a node; None when they can."""
    mib = 1 << 20
    header = int(d.getVar('LAMADIST_LUKS_HEADER_MIB')) if d.getVar('LAMADIST_ROOT_ENCRYPTION') == 'tpm2' else 0
    for what, file, variable, taken in (
        ('root', root, 'LAMADIST_ROOT_MIB', header),
        ('hash tree', hash_tree, 'LAMADIST_HASH_MIB', 0)):
        size = os.path.getsize(file)
        room = int(d.getVar(variable)) - taken
        if size > room * mib:
            return 'the %s is of %d KiB, and its partition has room for %d MiB%s (%s = "%s")' % (
                what, (size + 1023) // 1024, room, ' beside the header of LUKS2' if taken else '', variable, d.getVar(variable))
    return None
