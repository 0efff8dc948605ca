// SPDX-License-Identifier: GPL-2.0-only
/*
 * mbochs, a Bochs display that exists in memory only: a mediated device whose
 * picture the user gets as a dma-buf, and whose monitor the user chooses.
 *
 *	modprobe mbochs
 *	uuidgen > /sys/class/mdev_bus/mbochs/mdev_supported_types/mbochs-small/create
 *	qemu-system-x86_64 -display gtk,gl=on \
 *		-device vfio-pci,sysfsdev=/sys/bus/mdev/devices/$UUID,display=on,ramfb=off ...
 *
 * The guest's own bochs driver sets the mode in registers, see mbochs_display.c,
 * and draws into BAR 0. VFIO_DEVICE_QUERY_GFX_PLANE gives a number to each picture
 * that there is, and VFIO_DEVICE_GET_GFX_DMABUF a file to each number, see
 * mbochs_dmabuf.c. The numbers last as long as the picture is among those shown
 * last; the files as long as they are kept.
 *
 * Read this file from its end, as mtty_main.c.
 */
#include <drm/drm_fourcc.h>
#include <linux/dma-buf.h>
#include <linux/module.h>
#include <linux/pci_ids.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "mbochs.h"

/* Pictures whose numbers are remembered: guests have two or three. */
#define PICTURES	4

/**
 * struct mbochs_type - A kind of display
 * @type: as mdev knows it
 * @megabytes: its video memory
 */
struct mbochs_type {
	struct mdev_type type;
	u32 megabytes;
};

/**
 * struct mbochs - A display
 * @pci: its PCI side; its lock guards all below but @memory
 * @memory: its video memory, fixed
 * @display: its registers
 * @pictures: what was shown last, the number being that of the place and round
 * @ids: their numbers, 0 for none
 * @last_id: the number that was given last
 */
struct mbochs {
	struct sample_pci pci;
	struct mbochs_memory *memory;
	struct mbochs_display display;
	struct mbochs_mode pictures[PICTURES];
	u32 ids[PICTURES];
	u32 last_id;
};

static struct mbochs *to_mbochs(struct sample_pci *pci)
{
	return container_of(pci, struct mbochs, pci);
}

/* --- The display ---------------------------------------------------------------- */

static const struct sample_pci_id mbochs_id = {
	.vendor = 0x1234,
	.device = 0x1111,
	.subsystem_vendor = 0x1af4,
	.subsystem = 0x1100,
	.class = PCI_CLASS_DISPLAY_OTHER << 8,
};

static u32 mbochs_read(struct sample_pci *pci, unsigned int index, u64 offset,
		       unsigned int width)
{
	const struct mbochs_display *display = &to_mbochs(pci)->display;

	if (index == SAMPLE_PCI_OWN_REGION)
		return mbochs_edid_read(display, offset, width);
	return mbochs_display_read(display, offset, width);
}

static int mbochs_write(struct sample_pci *pci, unsigned int index, u64 offset,
			unsigned int width, u32 value)
{
	struct mbochs_display *display = &to_mbochs(pci)->display;

	if (index == SAMPLE_PCI_OWN_REGION)
		return mbochs_edid_write(display, offset, width, value);
	mbochs_display_write(display, offset, width, value);
	return 0;
}

static void mbochs_reset(struct sample_pci *pci)
{
	struct mbochs *mbochs = to_mbochs(pci);

	mbochs_display_reset(&mbochs->display, mbochs->memory->size);
	memset(mbochs->memory->mem, 0, mbochs->memory->size);
	memset(mbochs->ids, 0, sizeof(mbochs->ids));
}

static const struct sample_pci_ops mbochs_pci_ops = {
	.read = mbochs_read,
	.write = mbochs_write,
	.reset = mbochs_reset,
};

/* --- Pictures ---------------------------------------------------------------------- */

/* The number of what is shown now; a new one takes the place of the oldest. */
static u32 number_picture(struct mbochs *mbochs, const struct mbochs_mode *mode)
{
	unsigned int i;

	lockdep_assert_held(&mbochs->pci.lock);

	for (i = 0; i < PICTURES; i++)
		if (mbochs->ids[i] &&
		    !memcmp(&mbochs->pictures[i], mode, sizeof(*mode)))
			return mbochs->ids[i];

	/* Never 0, and one place each in turn. */
	mbochs->last_id = mbochs->last_id == U32_MAX ? PICTURES :
						      mbochs->last_id + 1;
	i = mbochs->last_id % PICTURES;
	mbochs->pictures[i] = *mode;
	mbochs->ids[i] = mbochs->last_id;
	return mbochs->last_id;
}

static long query_plane(struct mbochs *mbochs, void __user *arg)
{
	struct vfio_device_gfx_plane_info plane = {};
	struct mbochs_mode mode;
	int ret;

	ret = vfio_uarg_get(&plane, sizeof(plane),
			    offsetofend(struct vfio_device_gfx_plane_info,
					dmabuf_id), arg);
	if (ret)
		return ret;
	if (plane.flags == (VFIO_GFX_PLANE_TYPE_PROBE |
			    VFIO_GFX_PLANE_TYPE_DMABUF))
		return 0;
	if (plane.flags != VFIO_GFX_PLANE_TYPE_DMABUF)
		return -EINVAL;

	/* Format and size 0 say that there is no picture. */
	plane = (struct vfio_device_gfx_plane_info){
		.argsz = plane.argsz,
		.flags = plane.flags,
		.drm_plane_type = plane.drm_plane_type,
	};
	scoped_guard(mutex, &mbochs->pci.lock) {
		mode = mbochs_display_mode(&mbochs->display,
					   mbochs->memory->size);
		if (mode.width)
			plane.dmabuf_id = number_picture(mbochs, &mode);
	}
	if (mode.width) {
		plane.drm_format = DRM_FORMAT_XRGB8888;
		plane.drm_format_mod = DRM_FORMAT_MOD_LINEAR;
		plane.width = mode.width;
		plane.height = mode.height;
		plane.stride = mode.stride;
		plane.size = mode.size;
	}
	return vfio_info_reply(arg, &plane, sizeof(plane), NULL, NULL);
}

static bool find_picture(struct mbochs *mbochs, u32 id, struct mbochs_mode *mode)
{
	unsigned int i = id % PICTURES;

	guard(mutex)(&mbochs->pci.lock);

	if (!id || mbochs->ids[i] != id)
		return false;
	*mode = mbochs->pictures[i];
	return true;
}

static long get_dmabuf(struct mbochs *mbochs, u32 __user *arg)
{
	struct mbochs_mode mode;
	struct dma_buf *buf;
	u32 id;
	int fd;

	if (get_user(id, arg))
		return -EFAULT;
	if (!find_picture(mbochs, id, &mode))
		return -EINVAL;

	buf = mbochs_export(mbochs->memory, mode.start, mode.size);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	fd = dma_buf_fd(buf, O_CLOEXEC);
	if (fd < 0)
		dma_buf_put(buf);
	return fd;
}

/* --- The VFIO device ----------------------------------------------------------------- */

static long mbochs_ioctl(struct vfio_device *vdev, unsigned int cmd,
			 unsigned long arg)
{
	struct mbochs *mbochs = to_mbochs(to_sample_pci(vdev));
	void __user *uarg = (void __user *)arg;

	switch (cmd) {
	case VFIO_DEVICE_QUERY_GFX_PLANE:
		return query_plane(mbochs, uarg);
	case VFIO_DEVICE_GET_GFX_DMABUF:
		return get_dmabuf(mbochs, uarg);
	default:
		return sample_pci_ioctl(vdev, cmd, arg);
	}
}

static int mbochs_init_dev(struct vfio_device *vdev)
{
	struct mbochs *mbochs = to_mbochs(to_sample_pci(vdev));
	struct mdev_device *mdev = to_mdev_device(vdev->dev);
	struct mbochs_type *type = container_of(mdev->type, struct mbochs_type,
						type);
	u32 size = type->megabytes * SZ_1M;

	mbochs->memory = mbochs_memory_new(size);
	if (IS_ERR(mbochs->memory))
		return PTR_ERR(mbochs->memory);

	sample_pci_init(&mbochs->pci, &mbochs_pci_ops, &mbochs_id);
	sample_pci_add_bar(&mbochs->pci, VFIO_PCI_BAR0_REGION_INDEX, size,
			   PCI_BASE_ADDRESS_SPACE_MEMORY |
			   PCI_BASE_ADDRESS_MEM_PREFETCH);
	mbochs->pci.regions[VFIO_PCI_BAR0_REGION_INDEX].mem = mbochs->memory->mem;
	sample_pci_add_bar(&mbochs->pci, VFIO_PCI_BAR2_REGION_INDEX,
			   MBOCHS_REGISTERS, PCI_BASE_ADDRESS_SPACE_MEMORY);
	sample_pci_add_own_region(&mbochs->pci, MBOCHS_EDID_REGION,
				  VFIO_REGION_TYPE_GFX,
				  VFIO_REGION_SUBTYPE_GFX_EDID);
	mbochs_display_reset(&mbochs->display, size);
	return 0;
}

static void mbochs_release_dev(struct vfio_device *vdev)
{
	struct mbochs *mbochs = to_mbochs(to_sample_pci(vdev));

	sample_pci_destroy(&mbochs->pci);
	mbochs_memory_put(mbochs->memory);
}

static const struct vfio_device_ops mbochs_vfio_ops = {
	.name = "vfio-mbochs",
	.init = mbochs_init_dev,
	.release = mbochs_release_dev,
	.close_device = sample_pci_close,
	.ioctl = mbochs_ioctl,
	SAMPLE_PCI_VFIO_OPS,
};

/* --- Types, driver, module -------------------------------------------------------------- */

static struct mbochs_type mbochs_types[] = {
	{
		.type.sysfs_name = "small",
		.type.pretty_name = "small",
		.megabytes = 4,
	},
	{
		.type.sysfs_name = "medium",
		.type.pretty_name = "medium",
		.megabytes = 16,
	},
	{
		.type.sysfs_name = "large",
		.type.pretty_name = "large",
		.megabytes = 64,
	},
};

static struct mdev_type *mbochs_type_list[] = {
	&mbochs_types[0].type,
	&mbochs_types[1].type,
	&mbochs_types[2].type,
};

static unsigned int mbochs_get_available(struct mdev_type *mtype)
{
	return mbochs_megabytes_left() /
	       container_of(mtype, struct mbochs_type, type)->megabytes;
}

static ssize_t mbochs_show_description(struct mdev_type *mtype, char *buf)
{
	return sysfs_emit(buf, "virtual display, %u MB video memory\n",
			  container_of(mtype, struct mbochs_type, type)->megabytes);
}

static int mbochs_probe(struct mdev_device *mdev)
{
	struct mbochs *mbochs;
	int ret;

	mbochs = vfio_alloc_device(mbochs, pci.vdev, &mdev->dev,
				   &mbochs_vfio_ops);
	if (IS_ERR(mbochs))
		return PTR_ERR(mbochs);
	dev_set_drvdata(&mdev->dev, mbochs);

	ret = vfio_register_emulated_iommu_dev(&mbochs->pci.vdev);
	if (ret)
		vfio_put_device(&mbochs->pci.vdev);
	return ret;
}

static void mbochs_remove(struct mdev_device *mdev)
{
	struct mbochs *mbochs = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&mbochs->pci.vdev);
	vfio_put_device(&mbochs->pci.vdev);
}

static struct mdev_driver mbochs_driver = {
	.device_api = VFIO_DEVICE_API_PCI_STRING,
	.probe = mbochs_probe,
	.remove = mbochs_remove,
	.get_available = mbochs_get_available,
	.show_description = mbochs_show_description,
	.driver = {
		.name = "mbochs",
		.owner = THIS_MODULE,
		.mod_name = KBUILD_MODNAME,
	},
};

static struct sample_parent mbochs_parent;

static int __init mbochs_init(void)
{
	return sample_parent_register(&mbochs_parent, "mbochs", &mbochs_driver,
				      mbochs_type_list,
				      ARRAY_SIZE(mbochs_type_list));
}

/* dma-bufs that are still there hold this module. */
static void __exit mbochs_exit(void)
{
	sample_parent_unregister(&mbochs_parent, &mbochs_driver);
}

module_init(mbochs_init);
module_exit(mbochs_exit);

MODULE_DESCRIPTION("Sample of a mediated device: a Bochs display in memory");
MODULE_LICENSE("GPL");
