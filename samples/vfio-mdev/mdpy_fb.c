// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's driver for mdpy: a framebuffer whose size config space tells.
 *
 * The device is not believed: what it tells must be a picture that fits its BAR.
 */
#include <drm/drm_fourcc.h>
#include <linux/aperture.h>
#include <linux/fb.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/pci.h>

#include "mdpy_defs.h"

#define MDPY_BAR	0
#define BITS_PER_PIXEL	32
#define SIZE_MAX_PIXELS	16384

/* What the pixels of the console's text are drawn with. */
struct mdpy_fb {
	u32 palette[16];
};

/* --- Drawing ------------------------------------------------------------------ */

static int mdpy_fb_setcolreg(unsigned int regno, unsigned int red,
			     unsigned int green, unsigned int blue,
			     unsigned int transp, struct fb_info *info)
{
	u32 *palette = info->pseudo_palette;

	if (regno >= 16)
		return -EINVAL;
	palette[regno] = (red >> 8) << 16 | (green >> 8) << 8 | blue >> 8;
	return 0;
}

static const struct fb_ops mdpy_fb_ops = {
	.owner = THIS_MODULE,
	FB_DEFAULT_IOMEM_OPS,
	.fb_setcolreg = mdpy_fb_setcolreg,
};

/* --- Finding out --------------------------------------------------------------- */

struct picture {
	u32 width;
	u32 height;
	u32 pitch;
	u32 size;
};

static int read_picture(struct pci_dev *pdev, struct picture *picture)
{
	u32 format;

	pci_read_config_dword(pdev, MDPY_CAP_FORMAT, &format);
	pci_read_config_dword(pdev, MDPY_CAP_WIDTH, &picture->width);
	pci_read_config_dword(pdev, MDPY_CAP_HEIGHT, &picture->height);

	if (format != DRM_FORMAT_XRGB8888) {
		pci_err(pdev, "unknown format %p4cc\n", &format);
		return -ENODEV;
	}
	if (picture->width < 100 || picture->width > SIZE_MAX_PIXELS ||
	    picture->height < 100 || picture->height > SIZE_MAX_PIXELS)
		goto out_bad;
	picture->pitch = picture->width * (BITS_PER_PIXEL / 8);
	if (check_mul_overflow(picture->pitch, picture->height, &picture->size) ||
	    picture->size > pci_resource_len(pdev, MDPY_BAR))
		goto out_bad;
	return 0;

out_bad:
	pci_err(pdev, "a picture of %ux%u does not fit\n", picture->width,
		picture->height);
	return -ENODEV;
}

static void describe(struct fb_info *info, struct pci_dev *pdev,
		     const struct picture *picture)
{
	strscpy(info->fix.id, "mdpy-fb", sizeof(info->fix.id));
	info->fix.type = FB_TYPE_PACKED_PIXELS;
	info->fix.visual = FB_VISUAL_TRUECOLOR;
	info->fix.accel = FB_ACCEL_NONE;
	info->fix.smem_start = pci_resource_start(pdev, MDPY_BAR);
	info->fix.smem_len = picture->size;
	info->fix.line_length = picture->pitch;

	info->var.xres = picture->width;
	info->var.yres = picture->height;
	info->var.xres_virtual = picture->width;
	info->var.yres_virtual = picture->height;
	info->var.bits_per_pixel = BITS_PER_PIXEL;
	info->var.red = (struct fb_bitfield){ .offset = 16, .length = 8 };
	info->var.green = (struct fb_bitfield){ .offset = 8, .length = 8 };
	info->var.blue = (struct fb_bitfield){ .offset = 0, .length = 8 };
	info->var.activate = FB_ACTIVATE_NOW;
	info->var.height = -1;
	info->var.width = -1;
	info->var.vmode = FB_VMODE_NONINTERLACED;
	info->fbops = &mdpy_fb_ops;
}

/* --- Probe and remove: each step is undone by the one of the same place -------- */

static int mdpy_fb_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct picture picture;
	struct mdpy_fb *mdpy;
	struct fb_info *info;
	int ret;

	ret = aperture_remove_conflicting_pci_devices(pdev, "mdpy-fb");
	if (ret)
		return ret;
	ret = pci_enable_device(pdev);
	if (ret)
		return ret;
	ret = pci_request_regions(pdev, "mdpy-fb");
	if (ret)
		goto out_disable;
	ret = read_picture(pdev, &picture);
	if (ret)
		goto out_release;

	info = framebuffer_alloc(sizeof(*mdpy), &pdev->dev);
	if (!info) {
		ret = -ENOMEM;
		goto out_release;
	}
	mdpy = info->par;
	info->pseudo_palette = mdpy->palette;
	describe(info, pdev, &picture);
	info->screen_base = ioremap(info->fix.smem_start, info->fix.smem_len);
	if (!info->screen_base) {
		ret = -EIO;
		goto out_free;
	}

	ret = register_framebuffer(info);
	if (ret)
		goto out_unmap;
	pci_set_drvdata(pdev, info);
	fb_info(info, "mdpy, %ux%u\n", picture.width, picture.height);
	return 0;

out_unmap:
	iounmap(info->screen_base);
out_free:
	framebuffer_release(info);
out_release:
	pci_release_regions(pdev);
out_disable:
	pci_disable_device(pdev);
	return ret;
}

static void mdpy_fb_remove(struct pci_dev *pdev)
{
	struct fb_info *info = pci_get_drvdata(pdev);

	unregister_framebuffer(info);
	iounmap(info->screen_base);
	framebuffer_release(info);
	pci_release_regions(pdev);
	pci_disable_device(pdev);
}

static const struct pci_device_id mdpy_fb_ids[] = {
	{ PCI_DEVICE_SUB(MDPY_PCI_VENDOR, MDPY_PCI_DEVICE, MDPY_PCI_VENDOR,
			 MDPY_PCI_DEVICE) },
	{}
};
MODULE_DEVICE_TABLE(pci, mdpy_fb_ids);

static struct pci_driver mdpy_fb_driver = {
	.name = "mdpy-fb",
	.id_table = mdpy_fb_ids,
	.probe = mdpy_fb_probe,
	.remove = mdpy_fb_remove,
};
module_pci_driver(mdpy_fb_driver);

MODULE_DESCRIPTION("Framebuffer of the sample device mdpy");
MODULE_LICENSE("GPL");
