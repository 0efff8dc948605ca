// SPDX-License-Identifier: GPL-2.0-only
/*
 * What KVM and proofs of ownership ask of a group's or a device's file.
 *
 * KVM calls with locks of its own held that drivers take below ours, so
 * nothing here takes more than a leaf lock.
 */
#include <linux/export.h>
#include <linux/iommu.h>
#include <linux/vfio.h>

#include "device_file.h"
#include "group.h"
#include "kvm.h"

/**
 * vfio_file_is_group() - Is this the file of a group?
 * @file: any file, with a reference
 *
 * Context: Any context.
 * Return: true when it is.
 */
bool vfio_file_is_group(struct file *file)
{
	return vfio_group_from_file(file);
}
EXPORT_SYMBOL_GPL(vfio_file_is_group);

/**
 * vfio_file_is_valid() - Is this a file that the other functions here know?
 * @file: any file, with a reference
 *
 * Context: Any context.
 * Return: true for files of groups and of devices.
 */
bool vfio_file_is_valid(struct file *file)
{
	return vfio_group_from_file(file) || vfio_device_from_file(file);
}
EXPORT_SYMBOL_GPL(vfio_file_is_valid);

/**
 * vfio_file_has_dev() - Does having this file open prove owning a device?
 * @file: any file, with a reference
 * @device: a device whose memory stays during the call
 *
 * Context: Any context; takes no lock.
 * Return: true for a file of @device and for the file of its group.
 */
bool vfio_file_has_dev(struct file *file, struct vfio_device *device)
{
	struct vfio_group *group = vfio_group_from_file(file);

	if (group)
		return vfio_group_has_device(group, device);
	return vfio_device_from_file(file) == device;
}
EXPORT_SYMBOL_GPL(vfio_file_has_dev);

/**
 * vfio_file_iommu_group() - Get the IOMMU group behind a group's file
 * @file: any file, with a reference
 *
 * Context: Process context. Takes and releases a leaf lock.
 * Return: the IOMMU group with a reference for iommu_group_put(); NULL for other
 * files and for a group that lost its hardware.
 */
struct iommu_group *vfio_file_iommu_group(struct file *file)
{
	struct vfio_group *group = vfio_group_from_file(file);

	return group ? vfio_group_get_iommu_group(group) : NULL;
}
EXPORT_SYMBOL_GPL(vfio_file_iommu_group);

/**
 * vfio_file_enforced_coherent() - Is all DMA coherent, whatever devices ask for?
 * @file: any file, with a reference
 *
 * Domains enforce coherency wherever the IOMMU can, so the answer holds
 * whichever container the devices get into.
 *
 * Context: Process context. Takes and releases a leaf lock.
 * Return: false when a device of the file could do DMA past the caches; true
 * otherwise, and for other files.
 */
bool vfio_file_enforced_coherent(struct file *file)
{
	struct vfio_group *group = vfio_group_from_file(file);
	struct vfio_device *device;

	if (group)
		return vfio_group_enforces_coherency(group);

	device = vfio_device_from_file(file);
	return !device || device_iommu_capable(device->dev,
					       IOMMU_CAP_ENFORCE_CACHE_COHERENCY);
}
EXPORT_SYMBOL_GPL(vfio_file_enforced_coherent);

/**
 * vfio_file_set_kvm() - Name the VM that a file's devices work for
 * @file: any file, with a reference
 * @kvm: the VM, or NULL to take the name back, which the caller does before it
 *	drops its own reference on the VM
 *
 * Devices hold the VM themselves from before their first open, so the name
 * matters to later opens only.
 *
 * Context: Any context that may take a spinlock; takes and releases a leaf lock.
 */
void vfio_file_set_kvm(struct file *file, struct kvm *kvm)
{
	struct vfio_group *group = vfio_group_from_file(file);

	if (group)
		vfio_kvm_hint_set(&group->kvm, kvm);
	else if (vfio_device_from_file(file))
		vfio_kvm_hint_set(vfio_device_file_kvm(file), kvm);
}
EXPORT_SYMBOL_GPL(vfio_file_set_kvm);
