// SPDX-License-Identifier: GPL-2.0-only
/*
 * Features that log the memory a device writes by DMA: checking and sorting
 * the user's ranges, and carrying the log into the user's bitmap.
 *
 * The bitmap's pages are handled by iova_bitmap of drivers/iommu. Where the
 * kernel is built without it, no device offers these features.
 */
#include <linux/cleanup.h>
#include <linux/export.h>
#include <linux/interval_tree.h>
#include <linux/iova_bitmap.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>

#include "dma_logging.h"

MODULE_IMPORT_NS(IOMMUFD);

/* As many as fit one page; more would be the user keeping the kernel busy. */
#define MAX_RANGES (PAGE_SIZE / sizeof(struct vfio_device_feature_dma_logging_range))

static bool has_dma_logging(const struct vfio_device *device)
{
	return IS_ENABLED(CONFIG_IOMMUFD_DRIVER) && device->log_ops;
}

/**
 * vfio_dma_logging_check() - Are a driver's logging operations complete?
 * @device: device about to be registered
 *
 * Return: 0, or -EINVAL where one is missing.
 */
int vfio_dma_logging_check(struct vfio_device *device)
{
	const struct vfio_log_ops *ops = device->log_ops;

	if (!ops)
		return 0;
	return ops->log_start && ops->log_stop && ops->log_read_and_clear ?
	       0 : -EINVAL;
}

/* As is_power_of_2(), for what may not fit an unsigned long. */
static bool is_page_size(u64 page_size)
{
	return page_size && !(page_size & (page_size - 1));
}

/*
 * The one place where iova and length of a range meet: behind it there is only
 * an inclusive @last that an unsigned long holds.
 */
static int range_last(u64 iova, u64 length, unsigned long *last)
{
	u64 l;

	if (!length)
		return -EINVAL;
	if (check_add_overflow(iova, length - 1, &l) || l > ULONG_MAX)
		return -EOVERFLOW;
	*last = l;
	return 0;
}

/* The neighbour that follows @node in address order, or NULL. */
static struct interval_tree_node *next_range(struct interval_tree_node *node)
{
	return interval_tree_iter_next(node, 0, ULONG_MAX);
}

/* The node before the smallest gap of the tree, which has two nodes or more. */
static struct interval_tree_node *closest_pair(struct rb_root_cached *root)
{
	struct interval_tree_node *prev, *next, *best = NULL;
	unsigned long gap, smallest = ULONG_MAX;

	prev = interval_tree_iter_first(root, 0, ULONG_MAX);
	while ((next = next_range(prev))) {
		gap = next->start - prev->last;
		if (!best || gap < smallest) {
			smallest = gap;
			best = prev;
		}
		prev = next;
	}
	return best;
}

/**
 * vfio_combine_iova_ranges() - Merge ranges until a device can hold them
 * @root: interval tree of ranges that do not overlap, ->log_start() gets it
 * @cur_nodes: number of nodes in @root
 * @req_nodes: number of ranges the device can hold; 0 counts as 1
 *
 * The neighbours with the smallest gap between them become one, again and
 * again, so that the device logs as little as possible that nobody asked for.
 * Nodes that are merged away are not freed: they are the caller's.
 *
 * Context: Any; the caller owns the tree.
 */
void vfio_combine_iova_ranges(struct rb_root_cached *root, u32 cur_nodes,
			      u32 req_nodes)
{
	struct interval_tree_node *keep, *gone;

	for (; cur_nodes > max(req_nodes, 1U); cur_nodes--) {
		keep = closest_pair(root);
		if (WARN_ON_ONCE(!keep))
			return;
		gone = next_range(keep);

		/* Taken out and put back: the tree caches @last. */
		interval_tree_remove(gone, root);
		interval_tree_remove(keep, root);
		keep->last = gone->last;
		interval_tree_insert(keep, root);
	}
}
EXPORT_SYMBOL_GPL(vfio_combine_iova_ranges);

/* Checks one range of the user's and sorts it into the tree. */
static int
insert_range(struct rb_root_cached *root, struct interval_tree_node *node,
	     u64 page_size,
	     const struct vfio_device_feature_dma_logging_range *range)
{
	int ret;

	if ((range->iova | range->length) & (page_size - 1))
		return -EINVAL;
	ret = range_last(range->iova, range->length, &node->last);
	if (ret)
		return ret;
	node->start = range->iova;
	if (interval_tree_iter_first(root, node->start, node->last))
		return -EINVAL;
	interval_tree_insert(node, root);
	return 0;
}

static int
start_logging(struct vfio_device *device,
	      struct vfio_device_feature_dma_logging_control *control,
	      struct vfio_device_feature_dma_logging_control __user *arg)
{
	const struct vfio_log_ops *ops = device->log_ops;
	struct rb_root_cached root = RB_ROOT_CACHED;
	u32 i, nnodes = control->num_ranges;
	int ret;

	struct interval_tree_node *nodes __free(kfree) =
		kcalloc(nnodes, sizeof(*nodes), GFP_KERNEL_ACCOUNT);
	if (!nodes)
		return -ENOMEM;

	struct vfio_device_feature_dma_logging_range *ranges __free(kfree) =
		memdup_array_user(u64_to_user_ptr(control->ranges), nnodes,
				  sizeof(*ranges));
	if (IS_ERR(ranges))
		return PTR_ERR(ranges);

	for (i = 0; i < nnodes; i++) {
		ret = insert_range(&root, &nodes[i], control->page_size,
				   &ranges[i]);
		if (ret)
			return ret;
	}

	ret = ops->log_start(device, &root, nnodes, &control->page_size);
	if (ret)
		return ret;

	if (copy_to_user(arg, control, sizeof(*control))) {
		ops->log_stop(device);
		return -EFAULT;
	}
	return 0;
}

/**
 * vfio_feature_dma_logging_start() - VFIO_DEVICE_FEATURE_DMA_LOGGING_START
 * @device: open device
 * @flags: flags of the ioctl
 * @arg: payload, a &struct vfio_device_feature_dma_logging_control
 * @argsz: bytes of payload
 *
 * Return: 0; -ENOTTY where the device has no log; -EINVAL (direction, size,
 * page size not a power of two, no range, a range empty, not aligned to the
 * page size or overlapping another); -E2BIG (too many ranges); -EOVERFLOW (a
 * range wraps); -EFAULT; -ENOMEM; or what the driver gave.
 */
int vfio_feature_dma_logging_start(struct vfio_device *device, u32 flags,
				   void __user *arg, size_t argsz)
{
	struct vfio_device_feature_dma_logging_control control;
	int ret;

	if (!has_dma_logging(device))
		return -ENOTTY;

	ret = vfio_check_feature(flags, argsz, VFIO_DEVICE_FEATURE_SET,
				 sizeof(control));
	if (ret != 1)
		return ret;
	if (copy_from_user(&control, arg, sizeof(control)))
		return -EFAULT;

	if (!control.num_ranges || !is_page_size(control.page_size))
		return -EINVAL;
	if (control.num_ranges > MAX_RANGES)
		return -E2BIG;
	return start_logging(device, &control, arg);
}

/**
 * vfio_feature_dma_logging_stop() - VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP
 * @device: open device
 * @flags: flags of the ioctl
 * @arg: no payload
 * @argsz: bytes of payload
 *
 * Return: 0; -ENOTTY where the device has no log; -EINVAL (direction); or what
 * the driver gave.
 */
int vfio_feature_dma_logging_stop(struct vfio_device *device, u32 flags,
				  void __user *arg, size_t argsz)
{
	int ret;

	if (!has_dma_logging(device))
		return -ENOTTY;

	ret = vfio_check_feature(flags, argsz, VFIO_DEVICE_FEATURE_SET, 0);
	if (ret != 1)
		return ret;
	return device->log_ops->log_stop(device);
}

static int report_window(struct iova_bitmap *bitmap, unsigned long iova,
			 size_t length, void *opaque)
{
	struct vfio_device *device = opaque;

	return device->log_ops->log_read_and_clear(device, iova, length,
						   bitmap);
}

/**
 * vfio_feature_dma_logging_report() - VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT
 * @device: open device
 * @flags: flags of the ioctl
 * @arg: payload, a &struct vfio_device_feature_dma_logging_report
 * @argsz: bytes of payload
 *
 * Return: 0; -ENOTTY where the device has no log; -EINVAL (direction, size,
 * page size less than 4 KiB or not a power of two, empty range); -EOVERFLOW
 * (the range wraps); -EFAULT; -ENOMEM; or what the driver gave.
 */
int vfio_feature_dma_logging_report(struct vfio_device *device, u32 flags,
				    void __user *arg, size_t argsz)
{
	struct vfio_device_feature_dma_logging_report report;
	struct iova_bitmap *bitmap;
	unsigned long last;
	int ret;

	if (!has_dma_logging(device))
		return -ENOTTY;

	ret = vfio_check_feature(flags, argsz, VFIO_DEVICE_FEATURE_GET,
				 sizeof(report));
	if (ret != 1)
		return ret;
	if (copy_from_user(&report, arg, sizeof(report)))
		return -EFAULT;

	if (report.page_size < SZ_4K || !is_page_size(report.page_size))
		return -EINVAL;
	/* The bitmap's own arithmetic is in unsigned long. */
	if (report.page_size > ULONG_MAX || report.length > ULONG_MAX)
		return -EOVERFLOW;
	ret = range_last(report.iova, report.length, &last);
	if (ret)
		return ret;

	bitmap = iova_bitmap_alloc(report.iova, report.length, report.page_size,
				   u64_to_user_ptr(report.bitmap));
	if (IS_ERR_OR_NULL(bitmap))
		return bitmap ? PTR_ERR(bitmap) : -ENOMEM;

	ret = iova_bitmap_for_each(bitmap, device, report_window);
	iova_bitmap_free(bitmap);
	return ret;
}
