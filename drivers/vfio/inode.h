/* SPDX-License-Identifier: GPL-2.0-only */
/* The inodes that make all mappings of one device share an address space. */
#ifndef VFIO_INODE_H
#define VFIO_INODE_H

struct inode;

int vfio_inode_init(void);
void vfio_inode_exit(void);

struct inode *vfio_inode_new(void);

#endif /* VFIO_INODE_H */
