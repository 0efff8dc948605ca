// SPDX-License-Identifier: GPL-2.0-only
/* The tree of mappings: finding them and putting them in. */
#include <linux/build_bug.h>
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/list.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "type1.h"
#include "trace.h"

static struct kmem_cache *mapping_cache;

/**
 * type1_mappings_init() - Get ready to make mappings
 *
 * Context: Process context, may sleep. Pairs with type1_mappings_exit().
 * Return: 0 or -ENOMEM.
 */
int __init type1_mappings_init(void)
{
	/* There may be very many, of a page each. */
	BUILD_BUG_ON(BITS_PER_LONG == 64 && sizeof(struct type1_mapping) > 88);

	/* A cache that fits: sizes of kmalloc() are further apart. */
	mapping_cache = kmem_cache_create("vfio_type1_mapping",
					  sizeof(struct type1_mapping),
					  __alignof__(struct type1_mapping),
					  SLAB_ACCOUNT, NULL);
	return mapping_cache ? 0 : -ENOMEM;
}

/**
 * type1_mappings_exit() - Undo type1_mappings_init()
 *
 * Context: Process context, may sleep. No mapping is left.
 */
void type1_mappings_exit(void)
{
	kmem_cache_destroy(mapping_cache);
}

/**
 * type1_mapping_find() - The lowest mapping that meets a span
 * @iommu: the address space
 * @span: the span
 *
 * Context: Process context, @iommu->lock held.
 * Return: the mapping, busy ones included, or NULL.
 */
struct type1_mapping *type1_mapping_find(struct type1 *iommu,
					 struct iova_span span)
{
	struct rb_node *node = iommu->mappings.rb_node;
	struct type1_mapping *found = NULL;

	lockdep_assert_held(&iommu->lock);

	while (node) {
		struct type1_mapping *mapping =
			rb_entry(node, struct type1_mapping, node);

		if (mapping->span.last < span.first) {
			node = node->rb_right;
			continue;
		}
		if (mapping->span.first <= span.last)
			found = mapping;
		node = node->rb_left;
	}
	return found;
}

static struct type1_mapping *alloc_mapping(struct iova_span span,
					   unsigned long vaddr, int prot)
{
	struct type1_mapping *mapping;

	mapping = kmem_cache_zalloc(mapping_cache, GFP_KERNEL);
	if (!mapping)
		return NULL;

	mapping->span = span;
	mapping->vaddr = vaddr;
	mapping->prot = prot;
	return mapping;
}

/**
 * type1_usage_make() - Be ready to note things of a mapping's pages
 * @iommu: its address space
 * @mapping: the mapping, ready or not
 *
 * Context: Process context, @iommu->lock held, may sleep.
 * Return: 0 or -ENOMEM.
 */
int type1_usage_make(struct type1 *iommu, struct type1_mapping *mapping)
{
	struct type1_usage *usage;

	lockdep_assert_held(&iommu->lock);

	if (mapping->usage)
		return 0;

	usage = kzalloc(sizeof(*usage), GFP_KERNEL_ACCOUNT);
	if (!usage)
		return -ENOMEM;

	pin_table_init(&usage->pins);
	usage->birth = iommu->births++;
	mapping->usage = usage;
	return 0;
}

/**
 * type1_mapping_free() - Free a mapping that is in no tree and holds nothing
 * @mapping: the mapping
 *
 * Context: Process context, may sleep.
 */
void type1_mapping_free(struct type1_mapping *mapping)
{
	type1_payer_put(mapping->payer);
	if (mapping->usage) {
		type1_dirty_free(mapping);
		kfree(mapping->usage);
	}
	kmem_cache_free(mapping_cache, mapping);
}

/*
 * Where a mapping goes in the tree, or NULL where there is one already that it
 * would overlap.
 */
static struct rb_node **find_place(struct type1 *iommu, struct iova_span span,
				   struct rb_node **parent)
{
	struct rb_node **link = &iommu->mappings.rb_node;

	lockdep_assert_held(&iommu->lock);

	*parent = NULL;
	while (*link) {
		struct type1_mapping *mapping =
			rb_entry(*link, struct type1_mapping, node);

		*parent = *link;
		if (span.last < mapping->span.first)
			link = &(*link)->rb_left;
		else if (span.first > mapping->span.last)
			link = &(*link)->rb_right;
		else
			return NULL;
	}
	return link;
}

/* The rules for a new mapping that need the address space, but for overlaps. */
static int check_mapping(struct type1 *iommu,
			 const struct type1_mapping *mapping,
			 enum type1_rule *why)
{
	const struct iova_span span = mapping->span;

	lockdep_assert_held(&iommu->lock);

	*why = TYPE1_RULE_LIMIT;
	if (!iommu->mappings_left)
		return -ENOSPC;

	*why = TYPE1_RULE_RANGE;
	if (!iova_ranges_contain(&iommu->ranges, span)) {
		type1_ranges_explain(iommu, span);
		return -EINVAL;
	}

	/*
	 * Pinning would find out, but nobody pins while all groups are emulated
	 * and their drivers may come from a kernel thread.
	 */
	*why = TYPE1_RULE_KERNEL_ADDRESS;
	if (!access_ok((void __user *)mapping->vaddr,
		       span.last - span.first + 1))
		return -EFAULT;

	*why = TYPE1_RULE_NONE;
	return 0;
}

/**
 * type1_alignment() - The smallest page that users can map
 * @iommu: the address space
 *
 * Context: Any. Without @iommu->lock it may be another one right afterwards.
 * Return: its bytes, a power of two.
 */
u64 type1_alignment(struct type1 *iommu)
{
	/* The lowest bit is all that counts, and it is not read in parts. */
	const u64 pgsizes = READ_ONCE(iommu->pgsizes);

	return pgsizes & -pgsizes;
}

/**
 * type1_check_spans() - The rules for the numbers of a mapping
 * @iommu: the address space
 * @iova: where it begins
 * @vaddr: where the process has it
 * @size: bytes
 * @span: the IOVAs, filled on success
 * @why: the rule that refused, written on failure
 *
 * Context: Any.
 * Return: 0, or -EINVAL for what is empty, not aligned, or wraps.
 */
int type1_check_spans(struct type1 *iommu, u64 iova, u64 vaddr, u64 size,
		      struct iova_span *span, enum type1_rule *why)
{
	const u64 align = type1_alignment(iommu);
	struct iova_span memory;
	int ret;

	ret = iova_span_make(iova, size, align, span, why);
	if (ret)
		return ret;
	return iova_span_make(vaddr, size, align, &memory, why);
}

/* The payer is the one before, if it is the same again. */
static bool find_payer(struct type1 *iommu, struct type1_mapping *mapping,
		       bool unlimited)
{
	lockdep_assert_held(&iommu->lock);

	if (mapping->payer) {
		/* One that was made afresh. */
		type1_payer_put(iommu->payer);
		iommu->payer = type1_payer_get(mapping->payer);
		return true;
	}

	if (!iommu->payer || !type1_payer_is_current(iommu->payer, unlimited))
		return false;
	mapping->payer = type1_payer_get(iommu->payer);
	return true;
}

/*
 * Put a mapping into the tree, busy where there is something to fill it for;
 * -EAGAIN where a payer is to be made first.
 */
static int insert_locked(struct type1 *iommu, struct type1_mapping *mapping,
			 bool unlimited, bool *is_busy, enum type1_rule *why)
{
	struct rb_node **link, *parent;
	int ret;

	*why = TYPE1_RULE_OVERLAP;
	link = find_place(iommu, mapping->span, &parent);
	if (!link)
		return -EEXIST;

	ret = check_mapping(iommu, mapping, why);
	if (ret)
		return ret;

	if (!find_payer(iommu, mapping, unlimited))
		return -EAGAIN;

	if (iommu->is_tracking) {
		ret = type1_dirty_alloc(iommu, mapping, why);
		if (ret)
			return ret;
	}

	mapping->is_busy = !list_empty(&iommu->domains);
	mapping->is_open = !mapping->is_busy;
	*is_busy = mapping->is_busy;
	rb_link_node(&mapping->node, parent, link);
	rb_insert_color(&mapping->node, &iommu->mappings);
	iommu->mappings_left--;
	return 0;
}

static int insert_mapping(struct type1 *iommu, struct type1_mapping *mapping,
			  bool *is_busy, enum type1_rule *why)
{
	const bool unlimited = capable(CAP_IPC_LOCK);
	int ret;

	for (;;) {
		mutex_lock(&iommu->lock);
		ret = insert_locked(iommu, mapping, unlimited, is_busy, why);
		mutex_unlock(&iommu->lock);
		if (ret != -EAGAIN)
			return ret;

		*why = TYPE1_RULE_MEMORY;
		mapping->payer = type1_payer_make(unlimited);
		if (!mapping->payer)
			return -ENOMEM;
	}
}

static void remove_unfilled(struct type1 *iommu, struct type1_mapping *mapping)
{
	LIST_HEAD(dead);

	mutex_lock(&iommu->lock);
	type1_sweep_all_begin(iommu, false);
	type1_mapping_kill(iommu, mapping, &dead);
	type1_sweep_all_end(iommu);
	type1_settle(iommu, mapping);
	mutex_unlock(&iommu->lock);

	type1_mappings_bury(&dead);
}

static int make_mapping(struct type1 *iommu, struct iova_span span,
			unsigned long vaddr, int prot, enum type1_rule *why)
{
	struct type1_mapping *mapping;
	bool is_busy;
	int ret;

	*why = TYPE1_RULE_MEMORY;
	mapping = alloc_mapping(span, vaddr, prot);
	if (!mapping)
		return -ENOMEM;

	ret = insert_mapping(iommu, mapping, &is_busy, why);
	if (ret) {
		type1_mapping_free(mapping);
		return ret;
	}

	/* From here on it is another thread's to unmap, unless it is busy. */
	if (!is_busy)
		return 0;

	ret = type1_fill(iommu, mapping, 0, why);
	if (ret)
		remove_unfilled(iommu, mapping);
	return ret;
}

/**
 * type1_map() - Map memory of the calling process
 * @iommu: the address space
 * @iova: where devices see it
 * @vaddr: where the process has it
 * @size: bytes
 * @prot: IOMMU_READ, IOMMU_WRITE or both
 *
 * Context: Process context, may sleep and fault user memory. Takes and releases
 * @iommu->lock.
 * Return: 0; -EINVAL for what is empty, not aligned, wraps, lies outside the
 * ranges, or is raw frames of ordinary memory; -EEXIST where it overlaps a mapping,
 * one that is just being made included; -ENOSPC at dma_entry_limit; -EFAULT
 * for memory that is not there or not accessible that way; -ENOMEM at
 * RLIMIT_MEMLOCK or for lack of memory; -EINTR when being killed; or what the IOMMU
 * driver gave.
 */
int type1_map(struct type1 *iommu, u64 iova, u64 vaddr, u64 size, int prot)
{
	struct iova_span span;
	enum type1_rule why;
	int ret;

	ret = type1_check_spans(iommu, iova, vaddr, size, &span, &why);
	if (!ret)
		ret = make_mapping(iommu, span, vaddr, prot, &why);

	trace_vfio_map(iova, vaddr, size, prot, ret, ret ? why : TYPE1_RULE_NONE);
	return ret;
}

/**
 * type1_wait_for_settling() - Wait until some mapping is used less than it is
 * @iommu: the address space
 *
 * Context: Process context, @iommu->lock held, which is dropped meanwhile. Pairs with
 * type1_wake().
 * Return: 0 to look again, or -EINTR when being killed.
 */
int type1_wait_for_settling(struct type1 *iommu)
{
	const unsigned long before = iommu->settled;
	int ret;

	lockdep_assert_held(&iommu->lock);

	mutex_unlock(&iommu->lock);
	ret = wait_event_killable(iommu->settled_wait,
				  READ_ONCE(iommu->settled) != before);
	mutex_lock(&iommu->lock);
	return ret ? -EINTR : 0;
}
