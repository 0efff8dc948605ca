// SPDX-License-Identifier: GPL-2.0-only
/* Mappings of a type1 container. */
#include <errno.h>
#include <stdlib.h>

#include "vfio_test.h"

int type1_map(int container, __u64 iova, const void *vaddr, __u64 size,
	      __u32 flags)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = flags,
		.vaddr = (uintptr_t)vaddr,
		.iova = iova,
		.size = size,
	};

	return vioctl(container, VFIO_IOMMU_MAP_DMA, &map);
}

int type1_unmap(int container, __u64 iova, __u64 size, __u32 flags,
		__u64 *unmapped)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap),
		.flags = flags,
		.iova = iova,
		.size = size,
	};
	int ret = vioctl(container, VFIO_IOMMU_UNMAP_DMA, &unmap);

	if (unmapped)
		*unmapped = unmap.size;
	return ret;
}

/* START or STOP, or whatever the flags are, with nothing behind them. */
int type1_dirty(int container, __u32 flags)
{
	struct vfio_iommu_type1_dirty_bitmap dirty = {
		.argsz = sizeof(dirty),
		.flags = flags,
	};

	return vioctl(container, VFIO_IOMMU_DIRTY_PAGES, &dirty);
}

/* Bytes of a bitmap for so many bytes of memory. */
__u64 bitmap_bytes(__u64 size)
{
	return (size / PAGE + 63) / 64 * 8;
}

int type1_dirty_get(int container, __u64 iova, __u64 size, void *bitmap)
{
	const struct vfio_bitmap to = {
		.pgsize = PAGE,
		.size = bitmap_bytes(size),
		.data = bitmap,
	};

	return type1_dirty_get_raw(container, iova, size, &to);
}

int type1_dirty_get_raw(int container, __u64 iova, __u64 size,
			const struct vfio_bitmap *bitmap)
{
	struct {
		struct vfio_iommu_type1_dirty_bitmap head;
		struct vfio_iommu_type1_dirty_bitmap_get get;
	} dirty = {
		.head.argsz = sizeof(dirty),
		.head.flags = VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP,
		.get = { .iova = iova, .size = size, .bitmap = *bitmap },
	};

	return vioctl(container, VFIO_IOMMU_DIRTY_PAGES, &dirty);
}

int type1_unmap_dirty(int container, __u64 iova, __u64 size, __u32 flags,
		      const struct vfio_bitmap *bitmap, __u64 *unmapped)
{
	struct {
		struct vfio_iommu_type1_dma_unmap head;
		struct vfio_bitmap bitmap;
	} unmap = {
		.head.argsz = sizeof(unmap),
		.head.flags = flags | VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP,
		.head.iova = iova,
		.head.size = size,
		.bitmap = *bitmap,
	};
	int ret = vioctl(container, VFIO_IOMMU_UNMAP_DMA, &unmap);

	if (unmapped)
		*unmapped = unmap.head.size;
	return ret;
}

/* With its capability chain; the caller frees it. */
struct vfio_iommu_type1_info *type1_info(int container)
{
	struct vfio_iommu_type1_info head = { .argsz = sizeof(head) }, *info;

	if (vioctl(container, VFIO_IOMMU_GET_INFO, &head))
		return NULL;
	info = calloc(1, head.argsz);
	info->argsz = head.argsz;
	if (vioctl(container, VFIO_IOMMU_GET_INFO, info)) {
		free(info);
		return NULL;
	}
	return info;
}

/* Mappings that may still be made, or -ENOENT where the kernel does not say. */
__s64 type1_dma_avail(int container)
{
	struct vfio_iommu_type1_info *info = type1_info(container);
	struct vfio_iommu_type1_info_dma_avail *avail;
	__s64 ret = -ENOENT;

	if (!info)
		return ret;
	avail = info_cap(info, info->cap_offset, info->argsz,
			 VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL);
	if (avail)
		ret = avail->avail;
	free(info);
	return ret;
}
