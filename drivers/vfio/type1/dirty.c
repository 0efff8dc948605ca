// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dirty tracking: which pages devices may have written to.
 *
 * It is coarse, as the only thing known is which pages devices can reach. A group
 * behind an IOMMU reaches all there is, so with one such group every page is
 * dirty in every answer. It is different where drivers pin what their devices
 * use: an emulated group, or one behind an IOMMU whose driver has pinned pages,
 * tells thereby that its devices reach nothing else. With such groups only, a
 * string of bits is kept for each mapping, one a page.
 *
 * Invariants, with &type1.lock held, while tracking is on:
 *  - every mapping has a string;
 *  - the bit of a page in the table of pins is set: a device may write the page until
 *    it is unpinned, so it is dirty now and will be dirty again;
 *  - the bit of a page that vfio_dma_rw() wrote is set;
 *  - bits are cleared only after they were taken for a user, and those of pinned
 *    pages not even then.
 *
 * While a group reaches everything, answers are all ones and bits are let be.
 * When the last such group leaves, or tells by pinning that it is not one any
 * more, all bits are set: what its devices wrote before must be told once more.
 *
 * User memory is not touched under the lock. Bits are taken under it by pieces
 * into a page, or are known to be ones, and copied out without it. Where that
 * fails all of the range is dirty again, since the user cannot tell what was lost.
 */
#include <linux/bitmap.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>

#include "bits.h"
#include "trace.h"
#include "type1.h"

/* Bits of the longest bitmap of a user's. */
#define MAX_BITS	((u64)TYPE1_DIRTY_MAX_BYTES * BITS_PER_BYTE)
/* And pages of a mapping: the kernel's functions count bits by int. */
#define MAX_PAGES	((unsigned long)INT_MAX)

/* Bits that a page has. */
#define BUFFER_BITS	(PAGE_SIZE * BITS_PER_BYTE)

static const unsigned long all_ones[256] = { [0 ... 255] = ~0UL };

#if defined(__BIG_ENDIAN) && BITS_PER_LONG != 64
#error "A user's bitmap is an array of u64, ours of unsigned long"
#endif

static void set_pinned(struct type1_mapping *mapping, unsigned long index,
		       unsigned long end)
{
	struct pin_walk walk;

	if (!type1_pins(mapping))
		return;

	pin_walk_init(&walk, &mapping->usage->pins);
	for (; pin_walk_next(&walk, &index) && index < end; index++)
		__set_bit(index, mapping->usage->dirty);
}

/**
 * type1_dirty_alloc() - Give a mapping its bits, all clear
 * @iommu: its address space
 * @mapping: a mapping that has none; its pages that drivers hold are dirty
 * @why: the rule that refused, written on failure
 *
 * Context: Process context, @iommu->lock held, may sleep. Pairs with
 * type1_dirty_free().
 * Return: 0, -EINVAL for a mapping of too many pages, or -ENOMEM.
 */
int type1_dirty_alloc(struct type1 *iommu, struct type1_mapping *mapping,
		      enum type1_rule *why)
{
	const unsigned long npages = type1_mapping_pages(mapping);
	unsigned long *bits;

	lockdep_assert_held(&iommu->lock);

	*why = TYPE1_RULE_BITMAP;
	if (npages > MAX_PAGES)
		return -EINVAL;

	*why = TYPE1_RULE_MEMORY;
	if (type1_usage_make(iommu, mapping))
		return -ENOMEM;
	bits = kvcalloc(BITS_TO_LONGS(npages), sizeof(*bits),
			GFP_KERNEL_ACCOUNT);
	if (!bits)
		return -ENOMEM;

	mapping->usage->dirty = bits;
	set_pinned(mapping, 0, npages);
	return 0;
}

/**
 * type1_dirty_free() - Undo type1_dirty_alloc()
 * @mapping: a mapping, with bits or without
 *
 * Context: Process context, may sleep.
 */
void type1_dirty_free(struct type1_mapping *mapping)
{
	if (!mapping->usage)
		return;

	kvfree(mapping->usage->dirty);
	mapping->usage->dirty = NULL;
}

static void free_all(struct type1 *iommu)
{
	struct type1_mapping *mapping;

	lockdep_assert_held(&iommu->lock);

	iommu->is_tracking = false;
	for (mapping = type1_mapping_first(iommu); mapping;
	     mapping = type1_mapping_next(mapping)) {
		type1_dirty_free(mapping);
		cond_resched();
	}
}

static int alloc_all(struct type1 *iommu, enum type1_rule *why)
{
	struct type1_mapping *mapping;
	int ret;

	lockdep_assert_held(&iommu->lock);

	for (mapping = type1_mapping_first(iommu); mapping;
	     mapping = type1_mapping_next(mapping)) {
		ret = type1_dirty_alloc(iommu, mapping, why);
		if (!ret && fatal_signal_pending(current)) {
			*why = TYPE1_RULE_SIGNAL;
			ret = -EINTR;
		}
		if (ret) {
			free_all(iommu);
			return ret;
		}
		cond_resched();
	}
	iommu->is_tracking = true;
	return 0;
}

/**
 * type1_dirty_start() - Begin to track
 * @iommu: the address space
 *
 * Context: Process context, may sleep. Takes and releases @iommu->lock.
 * Return: 0, also when it had begun; -EACCES in a version 1 address space,
 * -EINVAL where a mapping has too many pages, -ENOMEM, -EINTR when being killed.
 */
int type1_dirty_start(struct type1 *iommu)
{
	enum type1_rule why = TYPE1_RULE_VERSION;
	int ret = -EACCES;

	if (iommu->is_v2) {
		mutex_lock(&iommu->lock);
		ret = iommu->is_tracking ? 0 : alloc_all(iommu, &why);
		mutex_unlock(&iommu->lock);
	}

	trace_vfio_dirty("start", 0, 0, ret, ret ? why : TYPE1_RULE_NONE);
	return ret;
}

/**
 * type1_dirty_stop() - Stop to track
 * @iommu: the address space
 *
 * Context: Process context, may sleep. Takes and releases @iommu->lock.
 * Return: 0, also when it had not begun; -EACCES in a version 1 address space.
 */
int type1_dirty_stop(struct type1 *iommu)
{
	int ret = -EACCES;

	if (iommu->is_v2) {
		mutex_lock(&iommu->lock);
		free_all(iommu);
		mutex_unlock(&iommu->lock);
		ret = 0;
	}

	trace_vfio_dirty("stop", 0, 0, ret,
			 ret ? TYPE1_RULE_VERSION : TYPE1_RULE_NONE);
	return ret;
}

/**
 * type1_dirty_mark() - Pages of a mapping were written
 * @mapping: the mapping
 * @first: first byte, counted from the start of the mapping
 * @count: bytes, at least one
 *
 * Context: Process context, &type1.lock held.
 */
void type1_dirty_mark(struct type1_mapping *mapping, unsigned long first,
		      unsigned long count)
{
	const unsigned long index = first >> PAGE_SHIFT;
	const unsigned long last = (first + count - 1) >> PAGE_SHIFT;

	if (type1_dirty_bits(mapping))
		bitmap_set(mapping->usage->dirty, index, last - index + 1);
}

/* Every page within a span is dirty. */
static void mark_span(struct type1 *iommu, struct iova_span span)
{
	struct type1_mapping *mapping;

	lockdep_assert_held(&iommu->lock);

	for (mapping = type1_mapping_find(iommu, span);
	     mapping && mapping->span.first <= span.last;
	     mapping = type1_mapping_next(mapping)) {
		const unsigned long first = max(span.first, mapping->span.first);
		const unsigned long last = min(span.last, mapping->span.last);

		type1_dirty_mark(mapping, first - mapping->span.first,
				 last - first + 1);
		cond_resched();
	}
}

/**
 * type1_dirty_scope_add() - A group came that reaches everything
 * @iommu: the address space
 *
 * Context: Process context, @iommu->lock held. Pairs with
 * type1_dirty_scope_remove().
 */
void type1_dirty_scope_add(struct type1 *iommu)
{
	lockdep_assert_held(&iommu->lock);

	iommu->wide_groups++;
}

/**
 * type1_dirty_scope_remove() - Such a group left, or was found to be none
 * @iommu: the address space
 *
 * Context: Process context, @iommu->lock held.
 */
void type1_dirty_scope_remove(struct type1 *iommu)
{
	const struct iova_span all = { .first = 0, .last = ULONG_MAX };

	lockdep_assert_held(&iommu->lock);

	if (!--iommu->wide_groups)
		mark_span(iommu, all);
}

/**
 * type1_dirty_check() - The rules for a range and the bitmap of it
 * @iommu: the address space
 * @span: the range
 * @bitmap: what the user gave
 * @why: the rule that refused, written on failure
 *
 * Context: Process context, @iommu->lock held.
 * Return: 0, or -EINVAL.
 */
int type1_dirty_check(struct type1 *iommu, struct iova_span span,
		      const struct vfio_bitmap *bitmap, enum type1_rule *why)
{
	const u64 pgsize = type1_alignment(iommu);
	u64 bits;

	*why = TYPE1_RULE_NOT_TRACKING;
	if (!iommu->is_tracking)
		return -EINVAL;

	*why = TYPE1_RULE_BITMAP;
	if (bitmap->pgsize != pgsize)
		return -EINVAL;

	/* The whole address space has a size that is no number. */
	bits = (u64)(span.last - span.first) / pgsize + 1;
	if (bits > MAX_BITS || bitmap->size > TYPE1_DIRTY_MAX_BYTES ||
	    bitmap->size < BITS_TO_U64(bits) * sizeof(u64))
		return -EINVAL;
	return 0;
}

/**
 * struct report - Telling a user of dirty pages
 * @iommu: the address space
 * @span: the range that the user's bitmap is about
 * @order: what one of its bits stands for, see struct bits_part
 * @data: the bitmap
 * @buffer: a page, or NULL until one is needed
 * @part: what was taken last
 * @is_all: all of it is dirty and @buffer is not used
 * @why: the rule that refused
 */
struct report {
	struct type1 *iommu;
	struct iova_span span;
	unsigned int order;
	unsigned long __user *data;
	unsigned long *buffer;
	struct bits_part part;
	bool is_all;
	enum type1_rule why;
};

static void report_init(struct report *report, struct type1 *iommu,
			struct iova_span span, const struct vfio_bitmap *bitmap)
{
	*report = (struct report){
		.iommu = iommu,
		.span = span,
		.order = ilog2(bitmap->pgsize) - PAGE_SHIFT,
		.data = (unsigned long __user *)bitmap->data,
	};
}

static int get_buffer(struct report *report)
{
	report->why = TYPE1_RULE_MEMORY;
	report->buffer = (unsigned long *)__get_free_page(GFP_KERNEL);
	return report->buffer ? 0 : -ENOMEM;
}

static void report_destroy(struct report *report)
{
	free_page((unsigned long)report->buffer);
}

/*
 * Begin with a mapping's pages from IOVA @first up to @last. What is taken may be
 * less: as much as fits the buffer.
 */
static void take_part(struct report *report,
		      const struct type1_mapping *mapping, unsigned long first,
		      unsigned long last)
{
	report->part = (struct bits_part){
		.from = (first - mapping->span.first) >> PAGE_SHIFT,
		.to = (first - report->span.first) >> PAGE_SHIFT,
		.npages = ((last - first) >> PAGE_SHIFT) + 1,
		.order = report->order,
	};
	if (!report->is_all) {
		bits_limit(&report->part, BUFFER_BITS);
		bits_extract(report->buffer, type1_dirty_bits(mapping),
			     &report->part);
	}
}

/* A word that holds bits of others too. */
static int put_edge(unsigned long __user *to, unsigned long bits,
		    unsigned long mask)
{
	unsigned long old;

	if (get_user(old, to) || put_user((old & ~mask) | (bits & mask), to))
		return -EFAULT;
	return 0;
}

/* Words from number @word on, without @end, all of them ours. */
static int put_words(const struct report *report, unsigned long base,
		     unsigned long word, unsigned long end)
{
	while (word < end) {
		const unsigned long *from = all_ones;
		unsigned long n = end - word;

		if (report->is_all)
			n = min(n, ARRAY_SIZE(all_ones));
		else
			from = report->buffer + (word - base);
		if (copy_to_user(report->data + word, from, n * sizeof(*from)))
			return -EFAULT;
		word += n;
	}
	return 0;
}

/* Copy what was taken to the user. */
static int put_part(struct report *report)
{
	const unsigned long first = bits_first(&report->part);
	const unsigned long count = bits_count(&report->part);
	const unsigned long base = first / BITS_PER_LONG;
	const unsigned long last = (first + count - 1) / BITS_PER_LONG;
	unsigned long word = base, end = last + 1;
	const unsigned long *bits = report->is_all ? NULL : report->buffer;
	unsigned long mask;
	int ret = 0;

	report->why = TYPE1_RULE_USER_MEMORY;

	mask = bits_edge_mask(first, count, base);
	if (~mask) {
		ret = put_edge(report->data + base, bits ? bits[0] : ~0UL, mask);
		word++;
	}
	mask = bits_edge_mask(first, count, last);
	if (~mask && last >= word && !ret) {
		end--;
		ret = put_edge(report->data + last,
			       bits ? bits[last - base] : ~0UL, mask);
	}
	return ret ?: put_words(report, base, word, end);
}

/* What was taken is told from now on, so it is clean, but for what drivers hold. */
static void clean_part(struct report *report, struct type1_mapping *mapping)
{
	const struct bits_part *part = &report->part;

	bitmap_clear(type1_dirty_bits(mapping), part->from, part->npages);
	set_pinned(mapping, part->from, part->from + part->npages);
}

/*
 * Take the bits of the next pages in what is left of the range, and make that
 * less. Gives -EAGAIN where a buffer is needed, and -ENOENT at the end.
 */
static int get_some(struct report *report, struct iova_span *left)
{
	struct type1 *iommu = report->iommu;
	struct type1_mapping *mapping;
	unsigned long first, last;

	guard(mutex)(&iommu->lock);

	mapping = type1_mapping_find(iommu, *left);
	if (!mapping)
		return -ENOENT;

	report->why = TYPE1_RULE_NOT_TRACKING;
	if (!iommu->is_tracking)
		return -EINVAL;

	report->is_all = iommu->wide_groups;
	if (!report->is_all && !report->buffer)
		return -EAGAIN;

	first = max(left->first, mapping->span.first);
	last = min(left->last, mapping->span.last);
	take_part(report, mapping, first, last);
	if (!report->is_all)
		clean_part(report, mapping);

	left->first = first + ((report->part.npages - 1) << PAGE_SHIFT) +
		      PAGE_SIZE - 1;
	return 0;
}

static int get_all(struct report *report)
{
	struct iova_span left = report->span;
	int ret;

	for (;;) {
		ret = get_some(report, &left);
		if (ret == -EAGAIN) {
			ret = get_buffer(report);
			if (ret)
				break;
			continue;
		}
		if (ret)
			break;

		ret = put_part(report);
		if (ret || left.first == left.last)
			break;
		left.first++;
		cond_resched();
	}

	if (ret && ret != -ENOENT) {
		const struct iova_span told = { report->span.first, left.first };

		mutex_lock(&report->iommu->lock);
		mark_span(report->iommu, told);
		mutex_unlock(&report->iommu->lock);
	}
	return ret == -ENOENT ? 0 : ret;
}

static int check_get(struct type1 *iommu,
		     const struct vfio_iommu_type1_dirty_bitmap_get *get,
		     struct iova_span *span, enum type1_rule *why)
{
	int ret;

	guard(mutex)(&iommu->lock);

	ret = iova_span_make(get->iova, get->size, type1_alignment(iommu), span,
			     why);
	if (!ret)
		ret = type1_dirty_check(iommu, *span, &get->bitmap, why);
	if (!ret)
		ret = type1_check_cuts(iommu, *span, why);
	return ret;
}

/**
 * type1_dirty_get() - Tell which pages of a range are dirty
 * @iommu: the address space
 * @get: the range and the user's bitmap
 *
 * Bits of addresses that are not mapped stay as they are. On failure nothing is
 * forgotten, whatever was copied before.
 *
 * Context: Process context, may sleep and fault user memory. Takes and releases
 * @iommu->lock.
 * Return: 0; -EACCES in a version 1 address space; -EINVAL where tracking is off,
 * for a range that is empty, not aligned, wraps or cuts a mapping, and for a
 * bitmap of another page size, too small or too large; -EFAULT; -ENOMEM.
 */
int type1_dirty_get(struct type1 *iommu,
		    const struct vfio_iommu_type1_dirty_bitmap_get *get)
{
	struct report report = { .why = TYPE1_RULE_VERSION };
	struct iova_span span;
	enum type1_rule why;
	int ret = -EACCES;

	if (iommu->is_v2) {
		ret = check_get(iommu, get, &span, &why);
		if (ret) {
			report.why = why;
		} else {
			report_init(&report, iommu, span, &get->bitmap);
			ret = get_all(&report);
			report_destroy(&report);
		}
	}

	trace_vfio_dirty("get", get->iova, get->size, ret,
			 ret ? report.why : TYPE1_RULE_NONE);
	return ret;
}

static int tell_of_dead(struct report *report,
			const struct type1_mapping *mapping)
{
	unsigned long first = mapping->span.first;
	int ret;

	for (;;) {
		take_part(report, mapping, first, mapping->span.last);
		ret = put_part(report);
		first += (report->part.npages - 1) << PAGE_SHIFT;
		if (ret || first + PAGE_SIZE - 1 == mapping->span.last)
			return ret;
		first += PAGE_SIZE;
		cond_resched();
	}
}

/**
 * type1_dirty_tell_dead() - Tell which pages of mappings that went were dirty
 * @dead: list of &type1_mapping.dead, within @span
 * @span: the range that the bitmap is about
 * @bitmap: the user's, which type1_dirty_check() found to fit
 * @is_all: some group could reach everything, so all is dirty
 * @buffer: a page
 *
 * Context: Process context, may sleep and fault user memory. No lock held.
 * Return: 0 or -EFAULT.
 */
int type1_dirty_tell_dead(struct list_head *dead, struct iova_span span,
			  const struct vfio_bitmap *bitmap, bool is_all,
			  void *buffer)
{
	struct type1_mapping *mapping;
	struct report report;
	int ret;

	report_init(&report, NULL, span, bitmap);
	report.buffer = buffer;
	list_for_each_entry(mapping, dead, dead) {
		/* Somebody stopped tracking meanwhile: nothing is known of it. */
		report.is_all = is_all || !type1_dirty_bits(mapping);
		ret = tell_of_dead(&report, mapping);
		if (ret)
			return ret;
	}
	return 0;
}
