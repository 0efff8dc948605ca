// SPDX-License-Identifier: GPL-2.0-only
/*
 * Times the bare primitives of mapping memory for devices, so that a bench can
 * show the limit beside what it measured. The interface is vfio_floor.h. Not to
 * be installed.
 */
#include <linux/iommu.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/timex.h>
#include <linux/uaccess.h>

#include "vfio_floor.h"

#define MAX_LOOPS	0x10000U
#define BATCH		512UL
#define PIN_FLAGS	(FOLL_WRITE | FOLL_LONGTERM)

/* One call: what was asked for and what is held. */
struct floor {
	struct vfio_floor_leaves arg;
	struct device *dev;
	struct iommu_group *group;
	struct iommu_domain *domain;
	struct page **leaves;
	unsigned long nr_leaves;
	unsigned long pinned;
};

static void tick(struct floor *floor, enum vfio_floor_step step, cycles_t start)
{
	floor->arg.ticks[step] += get_cycles() - start;
}

static int pin_leaves(struct floor *floor)
{
	const bool is_small = floor->arg.leaf == PAGE_SIZE;
	const cycles_t start = get_cycles();

	floor->pinned = 0;
	while (floor->pinned < floor->nr_leaves) {
		unsigned long n = is_small ?
			min(BATCH, floor->nr_leaves - floor->pinned) : 1;
		int got = pin_user_pages_fast(floor->arg.vaddr +
					      floor->pinned * floor->arg.leaf,
					      n, PIN_FLAGS,
					      floor->leaves + floor->pinned);

		if (got <= 0)
			return got ? got : -EFAULT;
		floor->pinned += got;
	}
	tick(floor, VFIO_FLOOR_PIN, start);
	return 0;
}

/* How many leaves from one on follow each other in physical memory. */
static unsigned long run_length(struct floor *floor, unsigned long from,
				unsigned long end)
{
	const unsigned long step = floor->arg.leaf >> PAGE_SHIFT;
	unsigned long pfn = page_to_pfn(floor->leaves[from]);
	unsigned long n = 1;

	while (from + n < end &&
	       page_to_pfn(floor->leaves[from + n]) == pfn + n * step)
		n++;
	return n;
}

static void unpin_leaves(struct floor *floor)
{
	const cycles_t start = get_cycles();
	unsigned long i, n;

	for (i = 0; i < floor->pinned; i += n) {
		if (floor->arg.leaf == PAGE_SIZE) {
			n = run_length(floor, i, floor->pinned);
			unpin_user_page_range_dirty_lock(floor->leaves[i], n, true);
		} else {
			n = 1;
			unpin_user_pages_dirty_lock(floor->leaves + i, 1, true);
		}
	}
	floor->pinned = 0;
	tick(floor, VFIO_FLOOR_UNPIN, start);
}

static int map_run(struct floor *floor, u64 offset, phys_addr_t phys, size_t size)
{
	return iommu_map(floor->domain, floor->arg.iova + offset, phys, size,
			 IOMMU_READ | IOMMU_WRITE | IOMMU_CACHE,
			 GFP_KERNEL_ACCOUNT);
}

static int map_leaves(struct floor *floor)
{
	const cycles_t start = get_cycles();
	unsigned long i, n;
	int ret = 0;

	if (floor->arg.flags & VFIO_FLOOR_PHYSICAL) {
		ret = map_run(floor, 0, floor->arg.vaddr, floor->arg.size);
		tick(floor, VFIO_FLOOR_MAP, start);
		return ret;
	}
	for (i = 0; i < floor->nr_leaves && !ret; i += n) {
		n = run_length(floor, i, floor->nr_leaves);
		ret = map_run(floor, i * floor->arg.leaf,
			      page_to_phys(floor->leaves[i]), n * floor->arg.leaf);
	}
	tick(floor, VFIO_FLOOR_MAP, start);
	return ret;
}

static void unmap_leaves(struct floor *floor)
{
	const cycles_t start = get_cycles();
	struct iommu_iotlb_gather gather;

	iommu_iotlb_gather_init(&gather);
	iommu_unmap_fast(floor->domain, floor->arg.iova, floor->arg.size, &gather);
	iommu_iotlb_sync(floor->domain, &gather);
	tick(floor, VFIO_FLOOR_UNMAP, start);
}

static int open_domain(struct floor *floor)
{
	int ret;

	floor->arg.device[sizeof(floor->arg.device) - 1] = 0;
	floor->dev = bus_find_device_by_name(&pci_bus_type, NULL,
					     floor->arg.device);
	if (!floor->dev)
		return -ENODEV;
	floor->group = iommu_group_get(floor->dev);
	if (!floor->group)
		return -ENODEV;

	floor->domain = iommu_paging_domain_alloc(floor->dev);
	if (IS_ERR(floor->domain)) {
		ret = PTR_ERR(floor->domain);
		floor->domain = NULL;
		return ret;
	}
	ret = iommu_attach_group(floor->domain, floor->group);
	if (ret) {
		iommu_domain_free(floor->domain);
		floor->domain = NULL;
	}
	return ret;
}

static void close_domain(struct floor *floor)
{
	const cycles_t start = get_cycles();

	if (floor->domain) {
		iommu_detach_group(floor->domain, floor->group);
		iommu_domain_free(floor->domain);
		tick(floor, VFIO_FLOOR_RELEASE, start);
	}
	iommu_group_put(floor->group);
	put_device(floor->dev);
}

static int one_loop(struct floor *floor)
{
	int ret = 0;

	if (!(floor->arg.flags & VFIO_FLOOR_PHYSICAL))
		ret = pin_leaves(floor);
	if (!ret && floor->domain) {
		ret = map_leaves(floor);
		if (ret || !(floor->arg.flags & VFIO_FLOOR_LEAVE))
			unmap_leaves(floor);
	}
	/* No DMA is ever started: what is left in the domain harms nobody. */
	unpin_leaves(floor);
	cond_resched();
	return ret;
}

static int check_leaves(const struct vfio_floor_leaves *arg)
{
	if (!arg->size || arg->size > SZ_1G || !arg->leaf ||
	    !IS_ALIGNED(arg->leaf, PAGE_SIZE) || arg->size % arg->leaf ||
	    arg->loops > MAX_LOOPS)
		return -EINVAL;
	return 0;
}

static long time_leaves(void __user *uarg)
{
	struct floor floor = {};
	u32 i;
	int ret;

	if (copy_from_user(&floor.arg, uarg, sizeof(floor.arg)))
		return -EFAULT;
	ret = check_leaves(&floor.arg);
	if (ret)
		return ret;

	memset(floor.arg.ticks, 0, sizeof(floor.arg.ticks));
	floor.nr_leaves = floor.arg.size / floor.arg.leaf;
	floor.leaves = kvcalloc(floor.nr_leaves, sizeof(*floor.leaves), GFP_KERNEL);
	if (!floor.leaves)
		return -ENOMEM;

	if (!(floor.arg.flags & VFIO_FLOOR_NO_DOMAIN))
		ret = open_domain(&floor);
	for (i = 0; i < floor.arg.loops && !ret; i++)
		ret = one_loop(&floor);
	close_domain(&floor);
	kvfree(floor.leaves);

	if (!ret && copy_to_user(uarg, &floor.arg, sizeof(floor.arg)))
		ret = -EFAULT;
	return ret;
}

static long time_copy(void __user *uarg)
{
	struct vfio_floor_copy arg;
	void __user *there;
	cycles_t start;
	void *data;
	long ret = 0;
	u32 i;

	if (copy_from_user(&arg, uarg, sizeof(arg)))
		return -EFAULT;
	if (!arg.size || arg.size > SZ_1M || arg.loops > MAX_LOOPS)
		return -EINVAL;
	data = kvzalloc(arg.size, GFP_KERNEL);
	if (!data)
		return -ENOMEM;

	there = u64_to_user_ptr(arg.vaddr);
	start = get_cycles();
	for (i = 0; i < arg.loops && !ret; i++)
		if (copy_from_user(data, there, arg.size) ||
		    copy_to_user(there, data, arg.size))
			ret = -EFAULT;
	arg.ticks = get_cycles() - start;
	kvfree(data);
	if (!ret && copy_to_user(uarg, &arg, sizeof(arg)))
		ret = -EFAULT;
	return ret;
}

static long floor_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	void __user *uarg = (void __user *)arg;
	char some[32];

	switch (cmd) {
	case VFIO_FLOOR_LEAVES:
		return time_leaves(uarg);
	case VFIO_FLOOR_COPY:
		return time_copy(uarg);
	case VFIO_FLOOR_NOTHING:
		return copy_from_user(some, uarg, sizeof(some)) ? -EFAULT : 0;
	}
	return -ENOTTY;
}

static const struct file_operations floor_fops = {
	.owner		= THIS_MODULE,
	.unlocked_ioctl	= floor_ioctl,
};

static struct miscdevice floor_device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "vfio_floor",
	.mode	= 0600,
	.fops	= &floor_fops,
};

module_misc_device(floor_device);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Times what mapping memory for devices costs at least");
