// SPDX-License-Identifier: GPL-2.0-only
/*
 * The regions of a device: one table that tells of them, reads, writes and maps
 * them.
 */
#include <linux/nospec.h>
#include <linux/overflow.h>
#include <linux/pm_runtime.h>
#include <linux/slab.h>

#include "private.h"
#include "trace.h"

/* What can be done with a kind of region. */
struct region_kind {
	int (*info)(struct vfio_pci_core_device *vdev, unsigned int index,
		    struct vfio_region_info *info, struct vfio_info_cap *caps);
	ssize_t (*rw)(struct vfio_pci_core_device *vdev, unsigned int index,
		      char __user *buf, size_t count, loff_t *ppos,
		      bool iswrite);
	int (*mmap)(struct vfio_pci_core_device *vdev, unsigned int index,
		    struct vm_area_struct *vma);
};

static int bar_info(struct vfio_pci_core_device *vdev, unsigned int index,
		    struct vfio_region_info *info, struct vfio_info_cap *caps)
{
	struct vfio_info_cap_header mappable = {
		.id = VFIO_REGION_INFO_CAP_MSIX_MAPPABLE,
		.version = 1,
	};

	info->size = pci_resource_len(vdev->pdev, index);
	if (!info->size)
		return 0;

	info->flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
	if (!vdev->bar[index].can_mmap)
		return 0;

	info->flags |= VFIO_REGION_INFO_FLAG_MMAP;
	if (!vdev->msix_size || index != vdev->msix_bar)
		return 0;
	return vfio_info_add_capability(caps, &mappable, sizeof(mappable));
}

static int rom_info(struct vfio_pci_core_device *vdev, unsigned int index,
		    struct vfio_region_info *info, struct vfio_info_cap *caps)
{
	info->size = vdev->rom_size;
	if (info->size)
		info->flags = VFIO_REGION_INFO_FLAG_READ;
	return 0;
}

static int config_info(struct vfio_pci_core_device *vdev, unsigned int index,
		       struct vfio_region_info *info,
		       struct vfio_info_cap *caps)
{
	info->size = vdev->pdev->cfg_size;
	info->flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
	return 0;
}

static ssize_t config_rw(struct vfio_pci_core_device *vdev, unsigned int index,
			 char __user *buf, size_t count, loff_t *ppos,
			 bool iswrite)
{
	ssize_t ret;

	ret = vfio_pci_config_rw(vdev, buf, count, *ppos & VFIO_PCI_OFFSET_MASK,
				 iswrite);
	if (ret > 0)
		*ppos += ret;
	return ret;
}

#ifdef CONFIG_VFIO_PCI_VGA
static int vga_info(struct vfio_pci_core_device *vdev, unsigned int index,
		    struct vfio_region_info *info, struct vfio_info_cap *caps)
{
	if (!vfio_pci_has_vga(vdev))
		return -EINVAL;

	info->size = VFIO_PCI_VGA_SIZE;
	info->flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
	return 0;
}

static const struct region_kind vga_kind = {
	.info = vga_info,
	.rw = vfio_pci_vga_rw,
};
#endif

static int driver_info(struct vfio_pci_core_device *vdev, unsigned int index,
		       struct vfio_region_info *info,
		       struct vfio_info_cap *caps)
{
	struct vfio_pci_region *region = &vdev->region[index -
						       VFIO_PCI_NUM_REGIONS];
	struct vfio_region_info_cap_type type = {
		.header.id = VFIO_REGION_INFO_CAP_TYPE,
		.header.version = 1,
		.type = region->type,
		.subtype = region->subtype,
	};
	int ret;

	info->size = region->size;
	info->flags = region->flags;
	ret = vfio_info_add_capability(caps, &type.header, sizeof(type));
	if (ret || !region->ops->add_capability)
		return ret;
	return region->ops->add_capability(vdev, region, caps);
}

static ssize_t driver_rw(struct vfio_pci_core_device *vdev, unsigned int index,
			 char __user *buf, size_t count, loff_t *ppos,
			 bool iswrite)
{
	const struct vfio_pci_region *region;

	region = &vdev->region[index - VFIO_PCI_NUM_REGIONS];
	return region->ops->rw(vdev, buf, count, ppos, iswrite);
}

static int driver_mmap(struct vfio_pci_core_device *vdev, unsigned int index,
		       struct vm_area_struct *vma)
{
	struct vfio_pci_region *region;

	region = &vdev->region[index - VFIO_PCI_NUM_REGIONS];
	if (!region->ops->mmap)
		return -EINVAL;
	return region->ops->mmap(vdev, region, vma);
}

static const struct region_kind bar_kind = {
	.info = bar_info,
	.rw = vfio_pci_bar_rw,
	.mmap = vfio_pci_bar_mmap,
};

static const struct region_kind rom_kind = {
	.info = rom_info,
	.rw = vfio_pci_rom_rw,
};

static const struct region_kind config_kind = {
	.info = config_info,
	.rw = config_rw,
};

static const struct region_kind driver_kind = {
	.info = driver_info,
	.rw = driver_rw,
	.mmap = driver_mmap,
};

static const struct region_kind *const fixed_regions[VFIO_PCI_NUM_REGIONS] = {
	[VFIO_PCI_BAR0_REGION_INDEX] = &bar_kind,
	[VFIO_PCI_BAR1_REGION_INDEX] = &bar_kind,
	[VFIO_PCI_BAR2_REGION_INDEX] = &bar_kind,
	[VFIO_PCI_BAR3_REGION_INDEX] = &bar_kind,
	[VFIO_PCI_BAR4_REGION_INDEX] = &bar_kind,
	[VFIO_PCI_BAR5_REGION_INDEX] = &bar_kind,
	[VFIO_PCI_ROM_REGION_INDEX] = &rom_kind,
	[VFIO_PCI_CONFIG_REGION_INDEX] = &config_kind,
#ifdef CONFIG_VFIO_PCI_VGA
	[VFIO_PCI_VGA_REGION_INDEX] = &vga_kind,
#endif
};

/* Sets *index to what may be used as an index, also by speculation. */
static const struct region_kind *
find_region(struct vfio_pci_core_device *vdev, u64 wanted, unsigned int *index)
{
	unsigned int end = VFIO_PCI_NUM_REGIONS + vdev->num_regions;

	if (wanted >= end)
		return NULL;

	*index = array_index_nospec((unsigned int)wanted, end);
	if (*index >= VFIO_PCI_NUM_REGIONS)
		return &driver_kind;
	return fixed_regions[array_index_nospec(*index, VFIO_PCI_NUM_REGIONS)];
}

/* Complete info, whose index the user gave. */
int vfio_pci_region_info(struct vfio_pci_core_device *vdev,
			 struct vfio_region_info *info,
			 struct vfio_info_cap *caps)
{
	const struct region_kind *kind;
	unsigned int index;
	int ret;

	kind = find_region(vdev, info->index, &index);
	if (!kind)
		return -EINVAL;

	info->offset = VFIO_PCI_INDEX_TO_OFFSET(index);
	info->size = 0;
	info->flags = 0;
	ret = kind->info(vdev, index, info, caps);
	if (caps->size)
		info->flags |= VFIO_REGION_INFO_FLAG_CAPS;
	return ret;
}

static ssize_t region_rw(struct vfio_device *core_vdev, char __user *buf,
			 size_t count, loff_t *ppos, bool iswrite)
{
	struct vfio_pci_core_device *vdev =
		container_of(core_vdev, struct vfio_pci_core_device, vdev);
	const struct region_kind *kind;
	unsigned int index;
	ssize_t ret;

	if (!count)
		return 0;
	kind = find_region(vdev, VFIO_PCI_OFFSET_TO_INDEX(*ppos), &index);
	if (!kind)
		return -EINVAL;

	ret = pm_runtime_resume_and_get(&vdev->pdev->dev);
	if (ret) {
		pci_info_ratelimited(vdev->pdev,
				     "no access, waking up failed: %zd\n", ret);
		return -EIO;
	}

	ret = kind->rw(vdev, index, buf, count, ppos, iswrite);
	pm_runtime_put(&vdev->pdev->dev);
	return ret;
}

/**
 * vfio_pci_core_read() - Read from a region
 * @core_vdev: the device, open
 * @buf: the user's buffer
 * @count: bytes
 * @ppos: file offset of the device; moved by the bytes read
 *
 * Context: Process context that may fault user pages. Takes and releases
 * memory_lock.
 * Return: the bytes read; -EINVAL for a region that is not there or an offset
 * at or past its end; -EIO where the device is asleep, cannot be woken or does
 * not decode memory; -EFAULT for a bad @buf or an offset past the config space;
 * -EBUSY where another driver has claimed the BAR; -ENOMEM.
 */
ssize_t vfio_pci_core_read(struct vfio_device *core_vdev, char __user *buf,
			   size_t count, loff_t *ppos)
{
	return region_rw(core_vdev, buf, count, ppos, false);
}
EXPORT_SYMBOL_GPL(vfio_pci_core_read);

/**
 * vfio_pci_core_write() - Write to a region
 * @core_vdev: the device, open
 * @buf: the user's buffer
 * @count: bytes
 * @ppos: file offset of the device; moved by the bytes written
 *
 * Context: As vfio_pci_core_read().
 * Return: the bytes written, or an errno as for vfio_pci_core_read(); -EINVAL
 * for the ROM too.
 */
ssize_t vfio_pci_core_write(struct vfio_device *core_vdev,
			    const char __user *buf, size_t count, loff_t *ppos)
{
	return region_rw(core_vdev, (char __user *)buf, count, ppos, true);
}
EXPORT_SYMBOL_GPL(vfio_pci_core_write);

/* Is there something behind the region that could be mapped? */
static bool is_mappable(struct vfio_pci_core_device *vdev,
			const struct region_kind *kind, unsigned int index)
{
	return kind->mmap && (kind != &bar_kind || vdev->bar[index].can_mmap);
}

static enum vfio_pci_mmap_rule map_region(struct vfio_pci_core_device *vdev,
					  struct vm_area_struct *vma, int *ret)
{
	const struct region_kind *kind;
	unsigned int index;

	*ret = -EINVAL;
	if (!(vma->vm_flags & VM_SHARED))
		return VFIO_PCI_MMAP_PRIVATE;

	kind = find_region(vdev, vma->vm_pgoff >>
				 (VFIO_PCI_OFFSET_SHIFT - PAGE_SHIFT), &index);
	if (!kind)
		return VFIO_PCI_MMAP_ABSENT;
	if (!is_mappable(vdev, kind, index))
		return VFIO_PCI_MMAP_KIND;

	*ret = kind->mmap(vdev, index, vma);
	if (!*ret)
		return VFIO_PCI_MMAP_GRANTED;
	return kind == &bar_kind ? VFIO_PCI_MMAP_RANGE : VFIO_PCI_MMAP_DRIVER;
}

/**
 * vfio_pci_core_mmap() - Map a region
 * @core_vdev: the device, open
 * @vma: the mapping; its offset is a file offset of the device
 *
 * Context: Process context, mmap_lock held for writing.
 * Return: 0, or -EINVAL where the mapping is private, the region is not there
 * or cannot be mapped, or the mapping reaches past its end.
 */
int vfio_pci_core_mmap(struct vfio_device *core_vdev,
		       struct vm_area_struct *vma)
{
	struct vfio_pci_core_device *vdev =
		container_of(core_vdev, struct vfio_pci_core_device, vdev);
	enum vfio_pci_mmap_rule rule;
	int ret;

	rule = map_region(vdev, vma, &ret);
	trace_vfio_pci_mmap(vdev->pdev, (u64)vma->vm_pgoff << PAGE_SHIFT,
			    vma->vm_end - vma->vm_start, ret, rule);
	return ret;
}
EXPORT_SYMBOL_GPL(vfio_pci_core_mmap);

/**
 * vfio_pci_core_register_dev_region() - Add a region behind the fixed ones
 * @vdev: the device, being opened
 * @type: VFIO_REGION_TYPE_*
 * @subtype: meaning within @type
 * @ops: operations; ->rw is mandatory
 * @size: bytes
 * @flags: VFIO_REGION_INFO_FLAG_* that users are told
 * @data: the driver's own, kept in the region
 *
 * The region goes away at close, where ->release is called.
 *
 * Context: Between vfio_pci_core_enable() and vfio_pci_core_finish_enable().
 * Return: 0, -EINVAL for a region without ->rw, or -ENOMEM.
 */
int vfio_pci_core_register_dev_region(struct vfio_pci_core_device *vdev,
				      unsigned int type, unsigned int subtype,
				      const struct vfio_pci_regops *ops,
				      size_t size, u32 flags, void *data)
{
	struct vfio_pci_region *regions;

	if (!ops || !ops->rw)
		return -EINVAL;

	regions = krealloc_array(vdev->region, vdev->num_regions + 1,
				 sizeof(*regions), GFP_KERNEL_ACCOUNT);
	if (!regions)
		return -ENOMEM;

	regions[vdev->num_regions] = (struct vfio_pci_region) {
		.type = type,
		.subtype = subtype,
		.ops = ops,
		.data = data,
		.size = size,
		.flags = flags,
	};
	vdev->region = regions;
	vdev->num_regions++;
	return 0;
}
EXPORT_SYMBOL_GPL(vfio_pci_core_register_dev_region);

void vfio_pci_regions_close(struct vfio_pci_core_device *vdev)
{
	while (vdev->num_regions) {
		struct vfio_pci_region *region;

		region = &vdev->region[--vdev->num_regions];
		if (region->ops->release)
			region->ops->release(vdev, region);
	}

	kfree(vdev->region);
	vdev->region = NULL;
}
