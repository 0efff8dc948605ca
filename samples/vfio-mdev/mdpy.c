// SPDX-License-Identifier: GPL-2.0-only
/*
 * mdpy, a display that is nothing but a framebuffer: the smallest mediated device
 * that shows something.
 *
 *	modprobe mdpy
 *	uuidgen > /sys/class/mdev_bus/mdpy/mdev_supported_types/mdpy-vga/create
 *
 * Its BAR 0 is the picture, its size is fixed by the type, and a capability in
 * config space tells the guest what it is (mdpy_fb.c is the guest's driver). The
 * user gets the picture by VFIO_DEVICE_QUERY_GFX_PLANE, which names a region to
 * be mapped, of the same memory.
 *
 * Read this file from its end, as mtty_main.c.
 */
#include <drm/drm_fourcc.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/pci_ids.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/unaligned.h>
#include <linux/vmalloc.h>

#include "mdpy_defs.h"
#include "sample.h"

#define BYTES_PER_PIXEL	4

/**
 * struct mdpy_type - A kind of display
 * @type: as mdev knows it
 * @width: pixels
 * @height: pixels
 */
struct mdpy_type {
	struct mdev_type type;
	u32 width;
	u32 height;
};

/**
 * struct mdpy - A display
 * @pci: its PCI side
 * @type: what it is like
 */
struct mdpy {
	struct sample_pci pci;
	const struct mdpy_type *type;
};

static struct mdpy *to_mdpy(struct vfio_device *vdev)
{
	return container_of(to_sample_pci(vdev), struct mdpy, pci);
}

static u32 pitch(const struct mdpy *mdpy)
{
	return mdpy->type->width * BYTES_PER_PIXEL;
}

static u32 picture_size(const struct mdpy *mdpy)
{
	return PAGE_ALIGN(pitch(mdpy) * mdpy->type->height);
}

/* --- The display ----------------------------------------------------------------- */

static const struct sample_pci_id mdpy_id = {
	.vendor = MDPY_PCI_VENDOR,
	.device = MDPY_PCI_DEVICE,
	.subsystem_vendor = MDPY_PCI_VENDOR,
	.subsystem = MDPY_PCI_DEVICE,
	.class = PCI_CLASS_DISPLAY_OTHER << 8,
};

static void mdpy_reset(struct sample_pci *pci)
{
	struct sample_pci_region *bar = &pci->regions[VFIO_PCI_BAR0_REGION_INDEX];

	memset(bar->mem, 0, bar->size);
}

/* There are no registers. */
static const struct sample_pci_ops mdpy_pci_ops = {
	.reset = mdpy_reset,
};

/* Where and what the picture is, for the guest. */
static void add_capability(struct mdpy *mdpy)
{
	u8 *config = mdpy->pci.config;

	config[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
	config[PCI_CAPABILITY_LIST] = MDPY_CAP;
	config[MDPY_CAP] = PCI_CAP_ID_VNDR;
	config[MDPY_CAP + PCI_CAP_FLAGS] = MDPY_CAP_SIZE;
	put_unaligned_le32(DRM_FORMAT_XRGB8888, config + MDPY_CAP_FORMAT);
	put_unaligned_le32(mdpy->type->width, config + MDPY_CAP_WIDTH);
	put_unaligned_le32(mdpy->type->height, config + MDPY_CAP_HEIGHT);
}

/* --- What the user sees of it ------------------------------------------------------- */

static long query_plane(struct mdpy *mdpy, void __user *arg)
{
	struct vfio_device_gfx_plane_info plane = {};
	int ret;

	ret = vfio_uarg_get(&plane, sizeof(plane),
			    offsetofend(struct vfio_device_gfx_plane_info,
					region_index), arg);
	if (ret)
		return ret;

	/* A picture in a region is all there is. */
	switch (plane.flags) {
	case VFIO_GFX_PLANE_TYPE_PROBE | VFIO_GFX_PLANE_TYPE_REGION:
		return 0;
	case VFIO_GFX_PLANE_TYPE_REGION:
		break;
	default:
		return -EINVAL;
	}

	plane.drm_format = DRM_FORMAT_XRGB8888;
	plane.drm_format_mod = DRM_FORMAT_MOD_LINEAR;
	plane.width = mdpy->type->width;
	plane.height = mdpy->type->height;
	plane.stride = pitch(mdpy);
	plane.size = pitch(mdpy) * mdpy->type->height;
	plane.x_pos = 0;
	plane.y_pos = 0;
	plane.x_hot = 0;
	plane.y_hot = 0;
	plane.region_index = SAMPLE_PCI_OWN_REGION;
	return vfio_info_reply(arg, &plane, sizeof(plane), NULL, NULL);
}

static long mdpy_ioctl(struct vfio_device *vdev, unsigned int cmd,
		       unsigned long arg)
{
	if (cmd == VFIO_DEVICE_QUERY_GFX_PLANE)
		return query_plane(to_mdpy(vdev), (void __user *)arg);
	return sample_pci_ioctl(vdev, cmd, arg);
}

static int mdpy_init_dev(struct vfio_device *vdev)
{
	struct mdev_device *mdev = to_mdev_device(vdev->dev);
	struct mdpy *mdpy = to_mdpy(vdev);
	struct sample_pci_region *regions = mdpy->pci.regions;
	void *picture;

	mdpy->type = container_of(mdev->type, struct mdpy_type, type);
	picture = vmalloc_user(roundup_pow_of_two(picture_size(mdpy)));
	if (!picture)
		return -ENOMEM;

	sample_pci_init(&mdpy->pci, &mdpy_pci_ops, &mdpy_id);
	sample_pci_add_bar(&mdpy->pci, VFIO_PCI_BAR0_REGION_INDEX,
			   roundup_pow_of_two(picture_size(mdpy)),
			   PCI_BASE_ADDRESS_SPACE_MEMORY |
			   PCI_BASE_ADDRESS_MEM_PREFETCH);
	sample_pci_add_own_region(&mdpy->pci, picture_size(mdpy), 0, 0);
	regions[VFIO_PCI_BAR0_REGION_INDEX].mem = picture;
	regions[SAMPLE_PCI_OWN_REGION].mem = picture;
	add_capability(mdpy);
	return 0;
}

static void mdpy_release_dev(struct vfio_device *vdev)
{
	struct mdpy *mdpy = to_mdpy(vdev);

	vfree(mdpy->pci.regions[VFIO_PCI_BAR0_REGION_INDEX].mem);
	sample_pci_destroy(&mdpy->pci);
}

static const struct vfio_device_ops mdpy_vfio_ops = {
	.name = "vfio-mdpy",
	.init = mdpy_init_dev,
	.release = mdpy_release_dev,
	.close_device = sample_pci_close,
	.ioctl = mdpy_ioctl,
	SAMPLE_PCI_VFIO_OPS,
};

/* --- Types, driver, module -------------------------------------------------------------- */

static struct mdpy_type mdpy_types[] = {
	{
		.type.sysfs_name = "vga",
		.type.pretty_name = "mdpy-vga",
		.width = 640,
		.height = 480,
	},
	{
		.type.sysfs_name = "xga",
		.type.pretty_name = "mdpy-xga",
		.width = 1024,
		.height = 768,
	},
	{
		.type.sysfs_name = "hd",
		.type.pretty_name = "mdpy-hd",
		.width = 1920,
		.height = 1080,
	},
};

static struct mdev_type *mdpy_type_list[] = {
	&mdpy_types[0].type,
	&mdpy_types[1].type,
	&mdpy_types[2].type,
};

static ssize_t mdpy_show_description(struct mdev_type *mtype, char *buf)
{
	struct mdpy_type *type = container_of(mtype, struct mdpy_type, type);

	return sysfs_emit(buf, "virtual display, %ux%u framebuffer\n",
			  type->width, type->height);
}

static int mdpy_probe(struct mdev_device *mdev)
{
	struct mdpy *mdpy;
	int ret;

	mdpy = vfio_alloc_device(mdpy, pci.vdev, &mdev->dev, &mdpy_vfio_ops);
	if (IS_ERR(mdpy))
		return PTR_ERR(mdpy);
	dev_set_drvdata(&mdev->dev, mdpy);

	ret = vfio_register_emulated_iommu_dev(&mdpy->pci.vdev);
	if (ret)
		vfio_put_device(&mdpy->pci.vdev);
	return ret;
}

static void mdpy_remove(struct mdev_device *mdev)
{
	struct mdpy *mdpy = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&mdpy->pci.vdev);
	vfio_put_device(&mdpy->pci.vdev);
}

/* Displays of all types together are counted by mdev. */
static struct mdev_driver mdpy_driver = {
	.device_api = VFIO_DEVICE_API_PCI_STRING,
	.max_instances = 4,
	.probe = mdpy_probe,
	.remove = mdpy_remove,
	.show_description = mdpy_show_description,
	.driver = {
		.name = "mdpy",
		.owner = THIS_MODULE,
		.mod_name = KBUILD_MODNAME,
	},
};

static struct sample_parent mdpy_parent;

static int __init mdpy_init(void)
{
	return sample_parent_register(&mdpy_parent, "mdpy", &mdpy_driver,
				      mdpy_type_list,
				      ARRAY_SIZE(mdpy_type_list));
}

static void __exit mdpy_exit(void)
{
	sample_parent_unregister(&mdpy_parent, &mdpy_driver);
}

module_param_named(max_devices, mdpy_driver.max_instances, uint, 0444);
MODULE_PARM_DESC(max_devices, "How many displays there may be");

module_init(mdpy_init);
module_exit(mdpy_exit);

MODULE_DESCRIPTION("Sample of a mediated device: a framebuffer in memory");
MODULE_LICENSE("GPL");
