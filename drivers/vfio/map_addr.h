/* SPDX-License-Identifier: GPL-2.0-only */
/* The address of a mapping that leaves it to the kernel. */
#ifndef VFIO_MAP_ADDR_H
#define VFIO_MAP_ADDR_H

struct file;

unsigned long vfio_map_addr(struct file *file, unsigned long hint,
			    unsigned long len, unsigned long pgoff,
			    unsigned long flags);

#endif /* VFIO_MAP_ADDR_H */
