// SPDX-License-Identifier: GPL-2.0-only
/*
 * Video memory of mbochs, and pictures in it as dma-bufs.
 *
 * A dma-buf may live longer than the device, its driver's binding and the user
 * who asked for it: it holds the memory, and knows nothing else. The budget of
 * megabytes is for the memory and so goes by its life.
 */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "mbochs.h"

static int max_megabytes = 256;
module_param(max_megabytes, int, 0444);
MODULE_PARM_DESC(max_megabytes, "Video memory of all displays together");

static atomic_t used_megabytes;

/* --- Memory ------------------------------------------------------------------- */

unsigned int mbochs_megabytes_left(void)
{
	return max(max_megabytes - atomic_read(&used_megabytes), 0);
}

static bool claim(int megabytes)
{
	int used = atomic_read(&used_megabytes);

	do {
		if (megabytes > max_megabytes - used)
			return false;
	} while (!atomic_try_cmpxchg(&used_megabytes, &used, used + megabytes));
	return true;
}

/* ERR_PTR() of -EUSERS when the budget is used up, or of -ENOMEM. */
struct mbochs_memory *mbochs_memory_new(u32 size)
{
	struct mbochs_memory *memory;

	if (!claim(size / SZ_1M))
		return ERR_PTR(-EUSERS);

	memory = kzalloc(sizeof(*memory), GFP_KERNEL);
	if (memory)
		memory->mem = vmalloc_user(size);
	if (!memory || !memory->mem) {
		kfree(memory);
		atomic_sub(size / SZ_1M, &used_megabytes);
		return ERR_PTR(-ENOMEM);
	}
	kref_init(&memory->refs);
	memory->size = size;
	return memory;
}

static void free_memory(struct kref *refs)
{
	struct mbochs_memory *memory = container_of(refs, struct mbochs_memory,
						    refs);

	atomic_sub(memory->size / SZ_1M, &used_megabytes);
	vfree(memory->mem);
	kfree(memory);
}

void mbochs_memory_put(struct mbochs_memory *memory)
{
	kref_put(&memory->refs, free_memory);
}

/* --- Pictures ------------------------------------------------------------------- */

/**
 * struct picture - What a dma-buf is of
 * @memory: held
 * @start: where in @memory
 * @size: bytes; both are whole pages
 */
struct picture {
	struct mbochs_memory *memory;
	u32 start;
	u32 size;
};

static struct sg_table *map_picture(struct dma_buf_attachment *at,
				    enum dma_data_direction direction)
{
	struct picture *picture = at->dmabuf->priv;
	unsigned int i, count = picture->size / PAGE_SIZE;
	struct page **pages;
	struct sg_table *sg;
	int ret = -ENOMEM;

	sg = kzalloc(sizeof(*sg), GFP_KERNEL);
	pages = kvmalloc_array(count, sizeof(*pages), GFP_KERNEL);
	if (!sg || !pages)
		goto out_free;

	for (i = 0; i < count; i++)
		pages[i] = vmalloc_to_page(picture->memory->mem +
					   picture->start + i * PAGE_SIZE);
	ret = sg_alloc_table_from_pages(sg, pages, count, 0, picture->size,
					GFP_KERNEL);
	if (ret)
		goto out_free;
	ret = dma_map_sgtable(at->dev, sg, direction, 0);
	if (ret)
		goto out_free_table;
	kvfree(pages);
	return sg;

out_free_table:
	sg_free_table(sg);
out_free:
	kvfree(pages);
	kfree(sg);
	return ERR_PTR(ret);
}

static void unmap_picture(struct dma_buf_attachment *at, struct sg_table *sg,
			  enum dma_data_direction direction)
{
	dma_unmap_sgtable(at->dev, sg, direction, 0);
	sg_free_table(sg);
	kfree(sg);
}

static int mmap_picture(struct dma_buf *buf, struct vm_area_struct *vma)
{
	struct picture *picture = buf->priv;
	unsigned long pages = vma_pages(vma), all = picture->size / PAGE_SIZE;

	/* Of the picture, not of what lies behind it in video memory. */
	if (vma->vm_pgoff > all || pages > all - vma->vm_pgoff)
		return -EINVAL;
	return remap_vmalloc_range(vma, picture->memory->mem,
				   picture->start / PAGE_SIZE + vma->vm_pgoff);
}

static int vmap_picture(struct dma_buf *buf, struct iosys_map *map)
{
	struct picture *picture = buf->priv;

	iosys_map_set_vaddr(map, picture->memory->mem + picture->start);
	return 0;
}

static void release_picture(struct dma_buf *buf)
{
	struct picture *picture = buf->priv;

	mbochs_memory_put(picture->memory);
	kfree(picture);
}

static const struct dma_buf_ops picture_ops = {
	.map_dma_buf = map_picture,
	.unmap_dma_buf = unmap_picture,
	.mmap = mmap_picture,
	.vmap = vmap_picture,
	.release = release_picture,
};

/* @start and @size are whole pages within the memory. */
struct dma_buf *mbochs_export(struct mbochs_memory *memory, u32 start, u32 size)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct picture *picture;
	struct dma_buf *buf;

	picture = kzalloc(sizeof(*picture), GFP_KERNEL_ACCOUNT);
	if (!picture)
		return ERR_PTR(-ENOMEM);

	kref_get(&memory->refs);
	picture->memory = memory;
	picture->start = start;
	picture->size = size;
	info.ops = &picture_ops;
	info.size = size;
	info.flags = O_RDWR;
	info.priv = picture;
	buf = dma_buf_export(&info);
	if (IS_ERR(buf)) {
		mbochs_memory_put(memory);
		kfree(picture);
	}
	return buf;
}

MODULE_IMPORT_NS(DMA_BUF);
