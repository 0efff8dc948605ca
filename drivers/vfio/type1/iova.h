/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Arithmetic on I/O virtual addresses: spans, the ranges that may be mapped,
 * page sizes, and the checks of what a user asks for.
 */
#ifndef VFIO_TYPE1_IOVA_H
#define VFIO_TYPE1_IOVA_H

#include <asm/page.h>
#include <linux/types.h>

/**
 * enum type1_rule - Which rule refused, for trace events
 *
 * @TYPE1_RULE_NONE: nothing was refused
 * @TYPE1_RULE_WIDTH: an address or size is wider than the machine's
 * @TYPE1_RULE_EMPTY: size 0
 * @TYPE1_RULE_ALIGN: not a multiple of the smallest IOMMU page
 * @TYPE1_RULE_WRAP: runs past the end of the address space
 * @TYPE1_RULE_OVERLAP: some of it is mapped already
 * @TYPE1_RULE_LIMIT: dma_entry_limit mappings exist
 * @TYPE1_RULE_RANGE: outside an aperture or inside a reserved range
 * @TYPE1_RULE_KERNEL_ADDRESS: not an address of a program's
 * @TYPE1_RULE_BISECT: would cut a mapping in two
 * @TYPE1_RULE_SIGNAL: the caller is being killed
 * @TYPE1_RULE_OWNER_GONE: the process that mapped it has no memory any more
 * @TYPE1_RULE_MEMLOCK: RLIMIT_MEMLOCK
 * @TYPE1_RULE_USER_MEMORY: memory that cannot be pinned for this access
 * @TYPE1_RULE_NOT_RESERVED: a raw frame number of ordinary memory
 * @TYPE1_RULE_IOMMU: the IOMMU driver refused
 * @TYPE1_RULE_MEMORY: no memory for our own records
 * @TYPE1_RULE_DUPLICATE: the group is here already
 * @TYPE1_RULE_ISOLATION: the group's interrupts are not isolated
 * @TYPE1_RULE_CONFLICT: a mapping lies where the new group cannot have one
 * @TYPE1_RULE_NOT_MAPPED: nothing is mapped there, or it is on its way out
 * @TYPE1_RULE_PROT: the mapping does not allow that access
 * @TYPE1_RULE_COUNT: pinned more often than can be counted
 * @TYPE1_RULE_NO_PAGE: a device's memory, which has no pages to give out
 * @TYPE1_RULE_VERSION: not in a version 1 address space
 * @TYPE1_RULE_OTHER_PROCESS: another process mapped it
 * @TYPE1_RULE_NOT_TRACKING: dirty pages are not tracked
 * @TYPE1_RULE_BITMAP: a dirty bitmap of another page size, too small or too large
 * @TYPE1_RULE_EMULATED: not with emulated groups
 * @TYPE1_RULE_SUSPENDED: the address of a mapping is taken away
 * @TYPE1_RULE_NOT_SUSPENDED: the mapping has its address
 * @TYPE1_RULE_DRIVER: a driver does not unpin what it was told to
 */
enum type1_rule {
	TYPE1_RULE_NONE,
	TYPE1_RULE_WIDTH,
	TYPE1_RULE_EMPTY,
	TYPE1_RULE_ALIGN,
	TYPE1_RULE_WRAP,
	TYPE1_RULE_OVERLAP,
	TYPE1_RULE_LIMIT,
	TYPE1_RULE_RANGE,
	TYPE1_RULE_KERNEL_ADDRESS,
	TYPE1_RULE_BISECT,
	TYPE1_RULE_SIGNAL,
	TYPE1_RULE_OWNER_GONE,
	TYPE1_RULE_MEMLOCK,
	TYPE1_RULE_USER_MEMORY,
	TYPE1_RULE_NOT_RESERVED,
	TYPE1_RULE_IOMMU,
	TYPE1_RULE_MEMORY,
	TYPE1_RULE_DUPLICATE,
	TYPE1_RULE_ISOLATION,
	TYPE1_RULE_CONFLICT,
	TYPE1_RULE_NOT_MAPPED,
	TYPE1_RULE_PROT,
	TYPE1_RULE_COUNT,
	TYPE1_RULE_NO_PAGE,
	TYPE1_RULE_VERSION,
	TYPE1_RULE_OTHER_PROCESS,
	TYPE1_RULE_NOT_TRACKING,
	TYPE1_RULE_BITMAP,
	TYPE1_RULE_EMULATED,
	TYPE1_RULE_SUSPENDED,
	TYPE1_RULE_NOT_SUSPENDED,
	TYPE1_RULE_DRIVER,
};

/**
 * struct iova_span - Addresses from one to another, both included
 * @first: lowest address
 * @last: highest address; never less than @first
 *
 * An inclusive end is what lets a span reach the very last address.
 */
struct iova_span {
	unsigned long first;
	unsigned long last;
};

/**
 * struct iova_ranges - Disjoint spans in rising order
 * @nr: spans in use
 * @room: spans that @span has memory for
 * @span: the spans
 */
struct iova_ranges {
	unsigned int nr;
	unsigned int room;
	struct iova_span *span;
};

int iova_span_make(u64 start, u64 size, u64 align, struct iova_span *span,
		   enum type1_rule *why);

int iova_ranges_init(struct iova_ranges *ranges);
void iova_ranges_destroy(struct iova_ranges *ranges);
void iova_ranges_clip(struct iova_ranges *ranges, struct iova_span to);
int iova_ranges_exclude(struct iova_ranges *ranges, struct iova_span hole);
bool iova_ranges_contain(const struct iova_ranges *ranges,
			 struct iova_span span);

u64 iova_pgsizes_fold(u64 common);

/**
 * iova_span_pages() - How many pages does a span hold?
 * @span: a span that begins and ends at page bounds
 *
 * Return: their number. The whole address space has one too, where its size in
 * bytes would be 0.
 */
static inline unsigned long iova_span_pages(struct iova_span span)
{
	return ((span.last - span.first) >> PAGE_SHIFT) + 1;
}

static inline bool iova_spans_meet(struct iova_span a, struct iova_span b)
{
	return a.first <= b.last && b.first <= a.last;
}

#endif /* VFIO_TYPE1_IOVA_H */
