// SPDX-License-Identifier: GPL-2.0-only
/*
 * PCI functions of s390: what a guest's firmware has to be told of them, and how
 * KVM comes to let a guest drive them without leaving guest mode.
 */
#include <linux/kvm_host.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <uapi/linux/vfio_zdev.h>

#include "private.h"

static int add_base(const struct zpci_dev *zdev, struct vfio_info_cap *caps)
{
	struct vfio_device_info_cap_zpci_base cap = {
		.header.id = VFIO_DEVICE_INFO_CAP_ZPCI_BASE,
		.header.version = 2,
		.start_dma = zdev->start_dma,
		.end_dma = zdev->end_dma,
		.pchid = zdev->pchid,
		.vfn = zdev->vfn,
		.fmb_length = zdev->fmb_length,
		.pft = zdev->pft,
		.gid = zdev->pfgid,
		.fh = zdev->fh,
	};

	return vfio_info_add_capability(caps, &cap.header, sizeof(cap));
}

static int add_group(const struct zpci_dev *zdev, struct vfio_info_cap *caps)
{
	struct vfio_device_info_cap_zpci_group cap = {
		.header.id = VFIO_DEVICE_INFO_CAP_ZPCI_GROUP,
		.header.version = 2,
		.dasm = zdev->dma_mask,
		.msi_addr = zdev->msi_addr,
		.flags = zdev->tlb_refresh ?
			 VFIO_DEVICE_INFO_ZPCI_FLAG_REFRESH : 0,
		.mui = zdev->fmb_update,
		.noi = zdev->max_msi,
		/* By write() one goes through the kernel, with its limit. */
		.maxstbl = ZPCI_MAX_WRITE_SIZE,
		.version = zdev->version,
		.imaxstbl = zdev->maxstbl,
	};

	return vfio_info_add_capability(caps, &cap.header, sizeof(cap));
}

static int add_util(const struct zpci_dev *zdev, struct vfio_info_cap *caps)
{
	DEFINE_RAW_FLEX(struct vfio_device_info_cap_zpci_util, cap, util_str,
			CLP_UTIL_STR_LEN);

	if (!zdev->util_str_avail)
		return 0;

	cap->header.id = VFIO_DEVICE_INFO_CAP_ZPCI_UTIL;
	cap->header.version = 1;
	cap->size = CLP_UTIL_STR_LEN;
	memcpy(cap->util_str, zdev->util_str, CLP_UTIL_STR_LEN);
	return vfio_info_add_capability(caps, &cap->header,
					struct_size(cap, util_str,
						    CLP_UTIL_STR_LEN));
}

static int add_pfip(const struct zpci_dev *zdev, struct vfio_info_cap *caps)
{
	DEFINE_RAW_FLEX(struct vfio_device_info_cap_zpci_pfip, cap, pfip,
			CLP_PFIP_NR_SEGMENTS);

	cap->header.id = VFIO_DEVICE_INFO_CAP_ZPCI_PFIP;
	cap->header.version = 1;
	cap->size = CLP_PFIP_NR_SEGMENTS;
	memcpy(cap->pfip, zdev->pfip, CLP_PFIP_NR_SEGMENTS);
	return vfio_info_add_capability(caps, &cap->header,
					struct_size(cap, pfip,
						    CLP_PFIP_NR_SEGMENTS));
}

/* The capabilities of VFIO_DEVICE_GET_INFO; 0, -ENODEV or -ENOMEM. */
int vfio_pci_zdev_add_caps(struct vfio_pci_core_device *vdev,
			   struct vfio_info_cap *caps)
{
	const struct zpci_dev *zdev = to_zpci(vdev->pdev);
	int ret;

	if (!zdev)
		return -ENODEV;

	ret = add_base(zdev, caps);
	if (!ret)
		ret = add_group(zdev, caps);
	if (!ret)
		ret = add_util(zdev, caps);
	if (!ret)
		ret = add_pfip(zdev, caps);
	return ret;
}

/*
 * A step of opening, where the opener told of a VM. KVM's callbacks are there as
 * long as KVM has a VM.
 */
int vfio_pci_zdev_open(struct vfio_pci_core_device *vdev)
{
	struct zpci_dev *zdev = to_zpci(vdev->pdev);

	if (!zdev)
		return -ENODEV;
	if (!vdev->vdev.kvm)
		return 0;
	if (!zpci_kvm_hook.kvm_register)
		return -ENOENT;
	return zpci_kvm_hook.kvm_register(zdev, vdev->vdev.kvm);
}

void vfio_pci_zdev_close(struct vfio_pci_core_device *vdev)
{
	struct zpci_dev *zdev = to_zpci(vdev->pdev);

	if (zdev && vdev->vdev.kvm && zpci_kvm_hook.kvm_unregister)
		zpci_kvm_hook.kvm_unregister(zdev);
}
