// SPDX-License-Identifier: GPL-2.0-only
/*
 * The extent log: which frames stand behind a mapping, in a few bytes.
 *
 * What it is for. Whoever takes a mapping apart must know which pages it
 * pinned. The IOMMU knows, page by page, at the price of a page table walk for
 * each. The log knows it by the run: memory of 1 GiB pages takes eight bytes for
 * two GiB. Unmap, attach and teardown read the log and leave the IOMMU to
 * do what only it can.
 *
 * Words. A mapping's pages have an *index*, counted from its start. A *run* is
 * pages whose frames follow one another. An *extent* is a run of one kind as it
 * is logged, a *slot* the 64 bits it is packed in:
 *
 *	63    59 58           40 39                                  0
 *	+-------+---------------+-------------------------------------+
 *	| kind  |   npages - 1  |                 pfn                 |
 *	+-------+---------------+-------------------------------------+
 *
 * No architecture that has this backend has frame numbers of more than 40 bits
 * (52-bit physical addresses, 4 KiB pages); extent_fits() is asked all the
 * same. An extent's kind says which pins it holds, and exactly those are
 * dropped: one a page, one a block of an order, or none.
 *
 * Where a page is. Slots carry no index: extents follow each other without a
 * hole from index 0 on, so the index of one is the sum of those before it, and
 * a walk goes from the front. Nothing ever needs one page out of the middle.
 *
 * Storage. Two slots live in the log itself, enough for small mappings and for
 * most that are contiguous. After them comes a list of chunks, each twice as
 * large as the one before up to a page. Slots are appended one by one.
 * extent_log_reserve() makes sure that there is room for one more, and one append
 * takes one more at most; so the caller reserves, changes the IOMMU, and
 * then appends, which cannot fail.
 *
 * Opaque stretches. Memory in small pieces would take eight bytes a page. A
 * window is a naturally aligned 2 MiB of IOVA; when the runs that begin in one
 * would need more than EXTENT_WINDOW_SLOTS slots, those slots are given up for
 * one of the kind EXTENT_OPAQUE, which takes the rest of the window's memory
 * pages too: "so many pages, each pinned once; ask the IOMMU which". This keeps
 * the log within 512 bytes for 2 MiB. A window in which an extent of another kind
 * begins stays as it is, since how that one is pinned would be forgotten;
 * eight bytes a page is the worst that such windows can cost.
 *
 * Why windows are aligned. Who reads an opaque stretch back does it a piece at a
 * time, and unmaps the piece. An IOMMU leaf that reaches over the end of a piece
 * must not exist. Leaves are naturally aligned, and a window in pieces holds
 * none of 2 MiB, so no leaf crosses a window's bound. Hence an opaque extent begins
 * at a window's bound or where another kind ended, a memory extent that reaches
 * into a window from before it is cut at the bound when the window goes opaque,
 * and readers cut at extent_window_room().
 *
 * Invariants:
 *  - the sum of all npages is log->npages;
 *  - no two neighbours could have been merged, except where the result would
 *    exceed EXTENT_MAX_PAGES;
 *  - at most EXTENT_WINDOW_SLOTS slots begin in a window where all of them are
 *    of the kind EXTENT_PAGES;
 *  - log->tail is NULL or has slots in use; chunks behind it have none.
 *
 * Overflow: npages and index are pages of an address space, which have
 * PAGE_SHIFT bits to spare; adding the phase, less than a window, cannot wrap.
 */
#include "extent.h"

#include <linux/bits.h>
#include <linux/bug.h>
#include <linux/errno.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/slab.h>

#define FIRST_CHUNK_BYTES	64U
#define LAST_CHUNK_BYTES	4096U

#define PAGES_SHIFT		EXTENT_PFN_BITS
#define KIND_SHIFT		(EXTENT_PFN_BITS + EXTENT_PAGES_BITS)

static_assert(KIND_SHIFT + EXTENT_KIND_BITS == 64);
static_assert(EXTENT_DEVICE < (1 << EXTENT_KIND_BITS));
/* A full stretch of opaque windows ends at the end of one. */
static_assert(EXTENT_MAX_PAGES % EXTENT_WINDOW_PAGES == 0);

static u64 pack(unsigned long pfn, unsigned long npages, unsigned int kind)
{
	return (u64)pfn | (u64)(npages - 1) << PAGES_SHIFT |
	       (u64)kind << KIND_SHIFT;
}

static unsigned long slot_pfn(u64 slot)
{
	return slot & GENMASK_ULL(EXTENT_PFN_BITS - 1, 0);
}

static unsigned long slot_pages(u64 slot)
{
	return ((slot >> PAGES_SHIFT) & GENMASK_ULL(EXTENT_PAGES_BITS - 1, 0)) + 1;
}

static unsigned int slot_kind(u64 slot)
{
	return slot >> KIND_SHIFT;
}

/**
 * extent_log_init() - Begin an empty log
 * @log: the log
 * @iova: where the mapping begins
 *
 * Context: Any.
 */
void extent_log_init(struct extent_log *log, unsigned long iova)
{
	*log = (struct extent_log){
		.phase = (iova >> PAGE_SHIFT) & (EXTENT_WINDOW_PAGES - 1),
		.window = ULONG_MAX,
	};
}

/**
 * extent_log_clear() - Forget everything and free what the log took
 * @log: the log; empty afterwards, fit for use
 *
 * Context: Any.
 */
void extent_log_clear(struct extent_log *log)
{
	struct extent_chunk *chunk = log->chunks;

	while (chunk) {
		struct extent_chunk *next = chunk->next;

		kfree(chunk);
		chunk = next;
	}

	*log = (struct extent_log){
		.phase = log->phase,
		.window = ULONG_MAX,
	};
}

/**
 * extent_log_bytes() - How much memory do a log's chunks take?
 * @log: the log
 *
 * Context: Any.
 * Return: bytes.
 */
size_t extent_log_bytes(const struct extent_log *log)
{
	const struct extent_chunk *chunk;
	size_t bytes = 0;

	for (chunk = log->chunks; chunk; chunk = chunk->next)
		bytes += struct_size(chunk, slot, chunk->capacity);
	return bytes;
}

/* The chunk that comes after what @log->tail is, spare or NULL. */
static struct extent_chunk *chunk_behind(const struct extent_log *log)
{
	return log->tail ? log->tail->next : log->chunks;
}

static bool tail_is_full(const struct extent_log *log)
{
	if (log->tail)
		return log->tail->nr == log->tail->capacity;
	return log->inline_nr == EXTENT_INLINE_SLOTS;
}

/**
 * extent_log_reserve() - Make sure that the next append needs no memory
 * @log: the log
 *
 * Context: Process context, may sleep.
 * Return: 0, or -ENOMEM with the log as it was.
 */
int extent_log_reserve(struct extent_log *log)
{
	struct extent_chunk *chunk, *before = log->tail;
	size_t bytes = FIRST_CHUNK_BYTES;

	if (!tail_is_full(log) || chunk_behind(log))
		return 0;

	if (before)
		bytes = min_t(size_t, LAST_CHUNK_BYTES,
			      2 * struct_size(before, slot, before->capacity));

	chunk = kmalloc(bytes, GFP_KERNEL_ACCOUNT);
	if (!chunk)
		return -ENOMEM;

	chunk->next = NULL;
	chunk->nr = 0;
	chunk->capacity = (bytes - sizeof(*chunk)) / sizeof(chunk->slot[0]);
	if (before)
		before->next = chunk;
	else
		log->chunks = chunk;
	return 0;
}

static u64 *last_slot(struct extent_log *log)
{
	if (log->tail)
		return &log->tail->slot[log->tail->nr - 1];
	if (log->inline_nr)
		return &log->inline_slot[log->inline_nr - 1];
	return NULL;
}

static void add_slot(struct extent_log *log, u64 slot)
{
	if (tail_is_full(log)) {
		struct extent_chunk *behind = chunk_behind(log);

		if (WARN_ON_ONCE(!behind))
			return;
		log->tail = behind;
	}

	if (log->tail)
		log->tail->slot[log->tail->nr++] = slot;
	else
		log->inline_slot[log->inline_nr++] = slot;
	log->nr_slots++;
	log->npages += slot_pages(slot);
}

static void resize_last_slot(struct extent_log *log, u64 *slot,
			     unsigned long npages)
{
	log->npages += npages - slot_pages(*slot);
	*slot = pack(slot_pfn(*slot), npages, slot_kind(*slot));
}

static void grow_slot(struct extent_log *log, u64 *slot, unsigned long npages)
{
	log->npages += npages;
	*slot += (u64)npages << PAGES_SHIFT;
}

/*
 * The first page of the window that page @index is in. Page 0 stands for the
 * window's start where the mapping begins inside the window.
 */
static unsigned long window_start(const struct extent_log *log,
				  unsigned long index)
{
	unsigned long into = EXTENT_WINDOW_PAGES -
			     extent_window_room(log, index);

	return index - min(index, into);
}

/* Does the last slot end inside an opaque window, so that more goes there? */
static bool is_in_opaque_window(const struct extent_log *log, const u64 *last)
{
	return last && slot_kind(*last) == EXTENT_OPAQUE &&
	       extent_window_room(log, log->npages) != EXTENT_WINDOW_PAGES;
}

static bool merges(u64 last, unsigned long pfn, unsigned long npages,
		   unsigned int kind)
{
	if (slot_kind(last) != kind ||
	    slot_pfn(last) + slot_pages(last) != pfn ||
	    slot_pages(last) + npages > EXTENT_MAX_PAGES)
		return false;

	return extent_may_grow_at(pfn, kind);
}

/* A walk over the slots that began in the present window. */
struct window_walk {
	struct extent_chunk *chunk;	/* NULL: the inline slots */
	unsigned int slot;
	unsigned int left;
};

static struct window_walk window_walk_init(struct extent_log *log)
{
	struct window_walk walk = {
		.chunk = log->window_tail,
		.left = log->nr_slots - log->window_slot,
	};
	struct extent_chunk *chunk;
	unsigned int before = 0;

	if (!walk.chunk) {
		walk.slot = log->window_slot;
		return walk;
	}

	/* Few windows are cut short; who is pays for counting. */
	before = EXTENT_INLINE_SLOTS;
	for (chunk = log->chunks; chunk != walk.chunk; chunk = chunk->next)
		before += chunk->nr;
	walk.slot = log->window_slot - before;
	return walk;
}

static u64 *window_walk_next(struct extent_log *log, struct window_walk *walk)
{
	if (!walk->left)
		return NULL;
	walk->left--;

	if (!walk->chunk) {
		if (walk->slot < EXTENT_INLINE_SLOTS)
			return &log->inline_slot[walk->slot++];
		walk->chunk = log->chunks;
		walk->slot = 0;
	} else if (walk->slot == walk->chunk->capacity) {
		walk->chunk = walk->chunk->next;
		walk->slot = 0;
	}
	return &walk->chunk->slot[walk->slot++];
}

/* Is every extent that began in the present window plain memory? */
static bool window_is_plain(struct extent_log *log)
{
	struct window_walk walk = window_walk_init(log);
	u64 *slot;

	while ((slot = window_walk_next(log, &walk)))
		if (slot_kind(*slot) != EXTENT_PAGES)
			return false;
	return true;
}

/* Give up the slots of the present window; the chunks stay as spares. */
static void drop_window_slots(struct extent_log *log)
{
	struct window_walk walk = window_walk_init(log);
	struct extent_chunk *chunk = walk.chunk;
	unsigned int keep = walk.slot;
	u64 *slot;

	while ((slot = window_walk_next(log, &walk)))
		log->npages -= slot_pages(*slot);

	log->nr_slots = log->window_slot;
	log->tail = chunk;
	if (chunk) {
		chunk->nr = keep;
		chunk = chunk->next;
	} else {
		log->inline_nr = keep;
		chunk = log->chunks;
	}
	for (; chunk && chunk->nr; chunk = chunk->next)
		chunk->nr = 0;

	/* An emptied chunk is a spare too. */
	if (log->tail && !log->tail->nr) {
		struct extent_chunk *before = NULL;

		for (chunk = log->chunks; chunk != log->tail; chunk = chunk->next)
			before = chunk;
		log->tail = before;
	}
}

/*
 * Make the present window opaque from its start, or from where it went on after
 * an opaque or other kind's extent that reached into it.
 */
static bool collapse_window(struct extent_log *log)
{
	const unsigned long end = log->npages;
	const unsigned long start = window_start(log, end - 1);
	unsigned long npages;
	u64 *last;

	if (!window_is_plain(log))
		return false;

	drop_window_slots(log);
	log->has_opaque = true;

	last = last_slot(log);
	if (last && log->npages > start && slot_kind(*last) == EXTENT_PAGES)
		resize_last_slot(log, last,
				 slot_pages(*last) - (log->npages - start));

	npages = end - log->npages;
	last = last_slot(log);
	if (last && slot_kind(*last) == EXTENT_OPAQUE &&
	    slot_pages(*last) + EXTENT_WINDOW_PAGES <= EXTENT_MAX_PAGES)
		resize_last_slot(log, last, slot_pages(*last) + npages);
	else
		add_slot(log, pack(0, npages, EXTENT_OPAQUE));
	return true;
}

/* Note in which window the slot that comes next begins. */
static void enter_window(struct extent_log *log)
{
	unsigned long window = (log->phase + log->npages) / EXTENT_WINDOW_PAGES;

	if (window == log->window)
		return;

	log->window = window;
	log->window_slot = log->nr_slots;
	log->window_tail = tail_is_full(log) ? chunk_behind(log) : log->tail;
}

/**
 * extent_log_append() - Log what stands behind the next pages
 * @log: the log
 * @pfn: first frame
 * @npages: how many pages; extent_fits() must be true
 * @kind: EXTENT_PAGES, EXTENT_DEVICE or an order
 *
 * Context: Any; extent_log_reserve() was called since the last append.
 */
void extent_log_append(struct extent_log *log, unsigned long pfn,
		       unsigned long npages, unsigned int kind)
{
	/* At most twice: what fits into an opaque window, then the rest. */
	while (npages) {
		u64 *last = last_slot(log);

		if (kind == EXTENT_PAGES && is_in_opaque_window(log, last)) {
			unsigned long n = min(npages,
					      extent_window_room(log, log->npages));

			grow_slot(log, last, n);
			pfn += n;
			npages -= n;
			continue;
		}

		if (last && merges(*last, pfn, npages, kind)) {
			grow_slot(log, last, npages);
			return;
		}

		enter_window(log);
		if (kind == EXTENT_PAGES &&
		    log->nr_slots - log->window_slot >= EXTENT_WINDOW_SLOTS &&
		    collapse_window(log))
			continue;

		add_slot(log, pack(pfn, npages, kind));
		return;
	}
}

/**
 * extent_pins() - How many pins does an extent hold?
 * @extent: the extent
 *
 * Context: Any.
 * Return: their number.
 */
unsigned long extent_pins(const struct extent *extent)
{
	unsigned long last = extent->pfn + extent->npages - 1;

	if (extent->kind == EXTENT_DEVICE)
		return 0;
	if (extent->kind == EXTENT_OPAQUE)
		return extent->npages;
	return (last >> extent->kind) - (extent->pfn >> extent->kind) + 1;
}

/**
 * extent_iter_init() - Begin a walk over a log
 * @iter: the walk
 * @log: the log, which must not change meanwhile
 *
 * Context: Any.
 */
void extent_iter_init(struct extent_iter *iter, const struct extent_log *log)
{
	*iter = (struct extent_iter){ .log = log };
}

/**
 * extent_iter_next() - Go to the next extent
 * @iter: the walk; @iter->now tells the extent
 *
 * Context: Any.
 * Return: false at the end.
 */
bool extent_iter_next(struct extent_iter *iter)
{
	u64 slot;

	if (!iter->chunk && iter->slot == iter->log->inline_nr) {
		if (!iter->log->tail)
			return false;
		iter->chunk = iter->log->chunks;
		iter->slot = 0;
	} else if (iter->chunk && iter->slot == iter->chunk->nr) {
		if (iter->chunk == iter->log->tail)
			return false;
		iter->chunk = iter->chunk->next;
		iter->slot = 0;
	}

	slot = iter->chunk ? iter->chunk->slot[iter->slot] :
			     iter->log->inline_slot[iter->slot];
	iter->slot++;

	iter->now = (struct extent){
		.index = iter->index,
		.pfn = slot_pfn(slot),
		.npages = slot_pages(slot),
		.kind = slot_kind(slot),
	};
	iter->index += iter->now.npages;
	return true;
}
