/* SPDX-License-Identifier: GPL-2.0-only */
/* Open files of devices. */
#ifndef VFIO_DEVICE_FILE_H
#define VFIO_DEVICE_FILE_H

#include <linux/types.h>

struct file;
struct vfio_device;
struct vfio_group;
struct vfio_kvm_hint;

struct file *vfio_device_file_open(struct vfio_group *group,
				   struct vfio_device *device);
struct vfio_device *vfio_device_from_file(struct file *file);
struct vfio_kvm_hint *vfio_device_file_kvm(struct file *file);

/* device_ioctl.c */
long vfio_device_ioctl(struct vfio_device *device, unsigned int cmd,
		       unsigned long arg);

#endif /* VFIO_DEVICE_FILE_H */
