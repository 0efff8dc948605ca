/* SPDX-License-Identifier: GPL-2.0-only */
/* Leaving a device set; joining one is in <linux/vfio.h>. */
#ifndef VFIO_DEVICE_SET_H
#define VFIO_DEVICE_SET_H

struct vfio_device;

/*
 * Lockdep's subclass of dev_set->lock for whoever unbinds a driver.
 *
 * That one may hold what the removal of hardware holds (pci_rescan_remove_lock),
 * which a hotplug slot takes inside the lock that its reset takes, which users
 * take inside dev_set->lock. This is no deadlock: whoever resets a slot below
 * dev_set->lock has first got the device_lock of every device in that slot, by
 * trying; and whoever unbinds holds the device_lock of one.
 */
enum { VFIO_DEVICE_SET_UNBIND = 1 };

void vfio_device_set_leave(struct vfio_device *device);

#endif /* VFIO_DEVICE_SET_H */
