// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arithmetic on I/O virtual addresses.
 *
 * Nothing here knows of an IOMMU, a lock or a process. User numbers become an
 * &struct iova_span once, in iova_span_make(), and nothing behind it adds to
 * them: a span's inclusive end cannot overflow.
 */
#include "iova.h"

#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/string.h>

/**
 * iova_span_make() - Check a start and a size that a user gave
 * @start: first address
 * @size: bytes
 * @align: what both must be a multiple of; a power of two
 * @span: filled on success
 * @why: the rule that refused, written on failure
 *
 * Context: Any.
 * Return: 0, or -EINVAL.
 */
int iova_span_make(u64 start, u64 size, u64 align, struct iova_span *span,
		   enum type1_rule *why)
{
	unsigned long first = start, bytes = size;

	*why = TYPE1_RULE_WIDTH;
	if (first != start || bytes != size)
		return -EINVAL;

	*why = TYPE1_RULE_EMPTY;
	if (!bytes)
		return -EINVAL;

	*why = TYPE1_RULE_ALIGN;
	if ((start | size) & (align - 1))
		return -EINVAL;

	*why = TYPE1_RULE_WRAP;
	if (check_add_overflow(first, bytes - 1, &span->last))
		return -EINVAL;

	span->first = first;
	*why = TYPE1_RULE_NONE;
	return 0;
}

/**
 * iova_ranges_init() - Begin with one range, the whole address space
 * @ranges: what to fill
 *
 * Context: Process context, may sleep.
 * Return: 0, or -ENOMEM. Pairs with iova_ranges_destroy().
 */
int iova_ranges_init(struct iova_ranges *ranges)
{
	const unsigned int room = 8;

	ranges->span = kmalloc_array(room, sizeof(*ranges->span),
				     GFP_KERNEL_ACCOUNT);
	if (!ranges->span)
		return -ENOMEM;

	ranges->room = room;
	ranges->nr = 1;
	ranges->span[0] = (struct iova_span){ .first = 0, .last = ULONG_MAX };
	return 0;
}

/**
 * iova_ranges_destroy() - Undo iova_ranges_init()
 * @ranges: the ranges; empty afterwards
 *
 * Context: Any.
 */
void iova_ranges_destroy(struct iova_ranges *ranges)
{
	kfree(ranges->span);
	ranges->span = NULL;
	ranges->nr = 0;
	ranges->room = 0;
}

/**
 * iova_ranges_clip() - Keep only what lies within a span
 * @ranges: the ranges; may end up empty
 * @to: the span
 *
 * Context: Any.
 */
void iova_ranges_clip(struct iova_ranges *ranges, struct iova_span to)
{
	unsigned int i, kept = 0;

	for (i = 0; i < ranges->nr; i++) {
		struct iova_span span = ranges->span[i];

		if (!iova_spans_meet(span, to))
			continue;

		ranges->span[kept].first = max(span.first, to.first);
		ranges->span[kept].last = min(span.last, to.last);
		kept++;
	}
	ranges->nr = kept;
}

static int make_room(struct iova_ranges *ranges)
{
	struct iova_span *more;

	if (ranges->nr < ranges->room)
		return 0;

	more = krealloc_array(ranges->span, ranges->room * 2, sizeof(*more),
			      GFP_KERNEL_ACCOUNT);
	if (!more)
		return -ENOMEM;

	ranges->span = more;
	ranges->room *= 2;
	return 0;
}

/**
 * iova_ranges_exclude() - Take a span out
 * @ranges: the ranges; may end up empty
 * @hole: what may not be mapped any more
 *
 * Context: Process context, may sleep.
 * Return: 0, or -ENOMEM with @ranges as they were.
 */
int iova_ranges_exclude(struct iova_ranges *ranges, struct iova_span hole)
{
	unsigned int i;

	/* One hole splits one range at most, so one more place will do. */
	if (make_room(ranges))
		return -ENOMEM;

	for (i = 0; i < ranges->nr; i++) {
		struct iova_span *span = &ranges->span[i];
		const bool has_head = span->first < hole.first;
		const bool has_tail = span->last > hole.last;
		const unsigned int behind = ranges->nr - i - 1;

		if (!iova_spans_meet(*span, hole))
			continue;

		if (has_head && has_tail) {
			memmove(span + 2, span + 1, behind * sizeof(*span));
			ranges->nr++;
			span[1].first = hole.last + 1;
			span[1].last = span->last;
			span->last = hole.first - 1;
			break;
		}

		if (has_head) {
			span->last = hole.first - 1;
		} else if (has_tail) {
			span->first = hole.last + 1;
		} else {
			memmove(span, span + 1, behind * sizeof(*span));
			ranges->nr--;
			i--;
		}
	}
	return 0;
}

/**
 * iova_ranges_contain() - May a span be mapped?
 * @ranges: what may be mapped
 * @span: the span
 *
 * Context: Any.
 * Return: true when all of @span lies within one range.
 */
bool iova_ranges_contain(const struct iova_ranges *ranges,
			 struct iova_span span)
{
	unsigned int i;

	for (i = 0; i < ranges->nr; i++) {
		if (span.first >= ranges->span[i].first &&
		    span.last <= ranges->span[i].last)
			return true;
	}
	return false;
}

/**
 * iova_pgsizes_fold() - What page sizes to tell users of
 * @common: sizes that every domain has
 *
 * User memory comes in CPU pages, so a smaller IOMMU page is of no use by
 * itself, but several of them make up a CPU page.
 *
 * Context: Any.
 * Return: @common without the sizes below PAGE_SIZE; with PAGE_SIZE where there
 * were such.
 */
u64 iova_pgsizes_fold(u64 common)
{
	const u64 small = PAGE_SIZE - 1;

	if (common & small)
		return (common & ~small) | PAGE_SIZE;
	return common;
}
