/* SPDX-License-Identifier: GPL-2.0-only */
/* The class of devices; their own API is in <linux/vfio.h>. */
#ifndef VFIO_DEVICE_H
#define VFIO_DEVICE_H

int vfio_device_init(void);
void vfio_device_exit(void);

#endif /* VFIO_DEVICE_H */
