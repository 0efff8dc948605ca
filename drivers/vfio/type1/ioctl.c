// SPDX-License-Identifier: GPL-2.0-only
/* The container ioctls that an IOMMU backend answers: one table. */
#include <linux/iommu.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/stddef.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>

#include "type1.h"

/* Asked of the backend itself too, with no address space. */
static long check_extension(struct type1 *iommu, unsigned long extension)
{
	if (extension == VFIO_DMA_CC_IOMMU)
		return iommu && type1_is_coherent(iommu);

	if (extension == VFIO_UPDATE_VADDR)
		return !iommu || type1_can_suspend(iommu);

	return extension == VFIO_UNMAP_ALL || type1_is_known(extension);
}

static int add_ranges(struct type1 *iommu, struct vfio_info_cap *caps)
{
	struct vfio_iommu_type1_info_cap_iova_range *cap;
	const struct iova_ranges *ranges = &iommu->ranges;
	struct vfio_info_cap_header *header;
	unsigned int i;

	lockdep_assert_held(&iommu->lock);

	header = vfio_info_cap_add(caps, struct_size(cap, iova_ranges, ranges->nr),
				   VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE, 1);
	if (IS_ERR(header))
		return PTR_ERR(header);

	cap = container_of(header, typeof(*cap), header);
	cap->nr_iovas = ranges->nr;
	for (i = 0; i < ranges->nr; i++) {
		cap->iova_ranges[i].start = ranges->span[i].first;
		cap->iova_ranges[i].end = ranges->span[i].last;
	}
	return 0;
}

static int add_mappings_left(struct type1 *iommu, struct vfio_info_cap *caps)
{
	struct vfio_iommu_type1_info_dma_avail *cap;
	struct vfio_info_cap_header *header;

	lockdep_assert_held(&iommu->lock);

	header = vfio_info_cap_add(caps, sizeof(*cap),
				   VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL, 1);
	if (IS_ERR(header))
		return PTR_ERR(header);

	cap = container_of(header, typeof(*cap), header);
	cap->avail = iommu->mappings_left;
	return 0;
}

static int add_migration(struct type1 *iommu, struct vfio_info_cap *caps)
{
	struct vfio_iommu_type1_info_cap_migration *cap;
	struct vfio_info_cap_header *header;

	lockdep_assert_held(&iommu->lock);

	header = vfio_info_cap_add(caps, sizeof(*cap),
				   VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION, 1);
	if (IS_ERR(header))
		return PTR_ERR(header);

	cap = container_of(header, typeof(*cap), header);
	cap->pgsize_bitmap = type1_alignment(iommu);
	cap->max_dirty_bitmap_size = TYPE1_DIRTY_MAX_BYTES;
	return 0;
}

static int collect_info(struct type1 *iommu, struct vfio_iommu_type1_info *info,
			struct vfio_info_cap *caps)
{
	int ret;

	guard(mutex)(&iommu->lock);

	info->flags = VFIO_IOMMU_INFO_PGSIZES | VFIO_IOMMU_INFO_CAPS;
	info->iova_pgsizes = iommu->pgsizes;

	ret = add_migration(iommu, caps);
	if (!ret)
		ret = add_mappings_left(iommu, caps);
	if (!ret && iommu->ranges.nr)
		ret = add_ranges(iommu, caps);
	return ret;
}

static long get_info(struct type1 *iommu, void __user *uarg)
{
	struct vfio_iommu_type1_info info;
	struct vfio_info_cap caps = {};
	int ret;

	ret = vfio_uarg_get(&info, sizeof(info),
			    offsetofend(struct vfio_iommu_type1_info,
					iova_pgsizes), uarg);
	if (ret)
		return ret;

	ret = collect_info(iommu, &info, &caps);
	if (!ret) {
		/* Outputs both, whatever the user had there. */
		info.cap_offset = 0;
		info.pad = 0;
		ret = vfio_info_reply(uarg, &info, sizeof(info),
				      &info.cap_offset, &caps);
	}
	kfree(caps.buf);
	return ret;
}

static int map_prot(u32 flags)
{
	return (flags & VFIO_DMA_MAP_FLAG_READ ? IOMMU_READ : 0) |
	       (flags & VFIO_DMA_MAP_FLAG_WRITE ? IOMMU_WRITE : 0);
}

static long map_dma(struct type1 *iommu, void __user *uarg)
{
	struct vfio_iommu_type1_dma_map map;
	int ret;

	ret = vfio_uarg_get(&map, sizeof(map), offsetofend(typeof(map), size),
			    uarg);
	if (ret)
		return ret;

	if (map.flags == VFIO_DMA_MAP_FLAG_VADDR)
		return type1_resume(iommu, map.iova, map.vaddr, map.size);

	if (!map.flags ||
	    map.flags & ~(VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE))
		return -EINVAL;

	return type1_map(iommu, map.iova, map.vaddr, map.size,
			 map_prot(map.flags));
}

/* What comes behind a command's struct. */
static int get_payload(void *payload, size_t size, u32 argsz, size_t at,
		       void __user *uarg)
{
	if (argsz < at + size)
		return -EINVAL;
	return copy_from_user(payload, uarg + at, size) ? -EFAULT : 0;
}

static long unmap_dma(struct type1 *iommu, void __user *uarg)
{
	const size_t minsz = offsetofend(struct vfio_iommu_type1_dma_unmap, size);
	struct vfio_iommu_type1_dma_unmap __user *to = uarg;
	struct vfio_iommu_type1_dma_unmap unmap;
	struct vfio_bitmap bitmap;
	u64 unmapped;
	int ret;

	ret = vfio_uarg_get(&unmap, sizeof(unmap), minsz, uarg);
	if (ret)
		return ret;

	switch (unmap.flags) {
	case 0:
		ret = type1_unmap(iommu, unmap.iova, unmap.size, NULL,
				  &unmapped);
		break;
	case VFIO_DMA_UNMAP_FLAG_ALL:
		if (unmap.iova || unmap.size)
			return -EINVAL;
		ret = type1_unmap_all(iommu, &unmapped);
		break;
	case VFIO_DMA_UNMAP_FLAG_VADDR:
		ret = type1_suspend(iommu, unmap.iova, unmap.size, &unmapped);
		break;
	case VFIO_DMA_UNMAP_FLAG_VADDR | VFIO_DMA_UNMAP_FLAG_ALL:
		if (unmap.iova || unmap.size)
			return -EINVAL;
		ret = type1_suspend_all(iommu, &unmapped);
		break;
	case VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP:
		ret = get_payload(&bitmap, sizeof(bitmap), unmap.argsz, minsz,
				  uarg);
		if (ret)
			return ret;
		ret = type1_unmap(iommu, unmap.iova, unmap.size, &bitmap,
				  &unmapped);
		break;
	default:
		return -EINVAL;
	}
	/* Where only the bitmap could not be written, what went is told. */
	if (ret && !unmapped)
		return ret;

	if (put_user(unmapped, &to->size))
		return -EFAULT;
	return ret;
}

static long dirty_get(struct type1 *iommu, u32 argsz, void __user *uarg)
{
	struct vfio_iommu_type1_dirty_bitmap_get get;
	int ret;

	ret = get_payload(&get, sizeof(get), argsz,
			  offsetof(struct vfio_iommu_type1_dirty_bitmap, data),
			  uarg);
	return ret ?: type1_dirty_get(iommu, &get);
}

static long dirty_pages(struct type1 *iommu, void __user *uarg)
{
	struct vfio_iommu_type1_dirty_bitmap dirty;
	int ret;

	/* Whatever the argument: that is what programs try it with. */
	if (!iommu->is_v2)
		return -EACCES;

	ret = vfio_uarg_get(&dirty, sizeof(dirty), sizeof(dirty), uarg);
	if (ret)
		return ret;

	switch (dirty.flags) {
	case VFIO_IOMMU_DIRTY_PAGES_FLAG_START:
		return type1_dirty_start(iommu);
	case VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP:
		return type1_dirty_stop(iommu);
	case VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP:
		return dirty_get(iommu, dirty.argsz, uarg);
	}
	return -EINVAL;
}

/* The commands that take a struct. */
static const struct {
	unsigned int cmd;
	long (*handle)(struct type1 *iommu, void __user *uarg);
} commands[] = {
	{ VFIO_IOMMU_GET_INFO, get_info },
	{ VFIO_IOMMU_MAP_DMA, map_dma },
	{ VFIO_IOMMU_UNMAP_DMA, unmap_dma },
	{ VFIO_IOMMU_DIRTY_PAGES, dirty_pages },
};

/**
 * type1_ioctl() - A container ioctl
 * @iommu_data: the address space, or NULL for VFIO_CHECK_EXTENSION of a container
 *	that has none
 * @cmd: the command
 * @arg: its argument
 *
 * Context: Process context of a user's thread, may sleep and fault user memory.
 * Return: what the command gives, or -ENOTTY.
 */
long type1_ioctl(void *iommu_data, unsigned int cmd, unsigned long arg)
{
	unsigned int i;

	if (cmd == VFIO_CHECK_EXTENSION)
		return check_extension(iommu_data, arg);
	if (!iommu_data)
		return -ENOTTY;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (commands[i].cmd == cmd)
			return commands[i].handle(iommu_data,
						  (void __user *)arg);
	return -ENOTTY;
}
