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
 * Storage. A log is 16 bytes in its mapping: how many pages, and one slot, which is
 * enough for small mappings and for most that are contiguous. With the second slot
 * the two go into a list of chunks, each twice as large as the one before up to a
 * page. What only matters while a log grows is the writer's: where the end is and
 * where a window began. A writer that comes to a log which is not empty finds that
 * by reading it. Slots are appended one by one. extent_writer_reserve() makes sure
 * that there is room for so many, and one append takes one at most; so the caller
 * reserves, changes the IOMMU, and then appends, which cannot fail.
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
 *  - the chunks with slots in use come first; those behind them are spares.
 *
 * Overflow: npages, index and base are pages of an address space, which have
 * PAGE_SHIFT bits to spare; their sums cannot wrap, and three flags fit beside them.
 */
#include "extent.h"

#include <linux/bits.h>
#include <linux/bug.h>
#include <linux/errno.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sched.h>
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

static void free_chunks(struct extent_chunk *chunk)
{
	while (chunk) {
		struct extent_chunk *next = chunk->next;

		kfree(chunk);
		chunk = next;
	}
}

/**
 * extent_log_clear() - Forget everything and free what the log took
 * @log: the log; empty afterwards
 *
 * Context: Any.
 */
void extent_log_clear(struct extent_log *log)
{
	if (log->is_long)
		free_chunks(log->chunks);
	*log = (struct extent_log){};
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
	const struct extent_chunk *chunk = log->is_long ? log->chunks : NULL;
	size_t bytes = 0;

	for (; chunk; chunk = chunk->next)
		bytes += struct_size(chunk, slot, chunk->capacity);
	return bytes;
}

/**
 * extent_log_counted() - How many pages of a log are charged as locked memory?
 * @log: the log
 *
 * Quick where no device's frames are in it.
 *
 * Context: Process context, may sleep.
 * Return: their number.
 */
unsigned long extent_log_counted(const struct extent_log *log)
{
	struct extent_iter iter;
	unsigned long npages = 0;

	if (!log->has_device)
		return log->npages;

	extent_iter_init(&iter, log);
	while (extent_iter_next(&iter)) {
		if (extent_is_counted(iter.now.kind))
			npages += iter.now.npages;
		cond_resched();
	}
	return npages;
}

static bool chunk_is_full(const struct extent_chunk *chunk)
{
	return chunk->nr == chunk->capacity;
}

/* The chunk that comes after the last slot's, spare or NULL. */
static struct extent_chunk *chunk_behind(const struct extent_writer *writer)
{
	if (writer->tail)
		return writer->tail->next;
	return writer->log->is_long ? writer->log->chunks : NULL;
}

/* Where the next slot goes: NULL for the log itself, or where there is no room. */
static struct extent_chunk *chunk_for_next(const struct extent_writer *writer)
{
	if (writer->tail && !chunk_is_full(writer->tail))
		return writer->tail;
	return chunk_behind(writer);
}

/* Note in which window a slot begins that comes next, at page @index. */
static void enter_window(struct extent_writer *writer, unsigned long index,
			 struct extent_chunk *chunk, unsigned int at)
{
	unsigned long window = (writer->base + index) / EXTENT_WINDOW_PAGES;

	if (window == writer->window)
		return;

	writer->window = window;
	writer->window_chunk = chunk;
	writer->window_at = at;
	writer->window_nr = 0;
}

/**
 * extent_writer_init() - Begin to append to a log
 * @writer: the writer
 * @log: the log, which may have pages; it has no other writer from now on
 * @iova: where the mapping begins
 *
 * Context: Any.
 */
void extent_writer_init(struct extent_writer *writer, struct extent_log *log,
			unsigned long iova)
{
	struct extent_chunk *chunk = log->is_long ? log->chunks : NULL;
	unsigned long index = 0;
	unsigned int at = 0;

	*writer = (struct extent_writer){
		.log = log,
		.base = iova >> PAGE_SHIFT,
		.window = ULONG_MAX,
	};

	while (index < log->npages) {
		if (chunk && at == chunk->nr) {
			chunk = chunk->next;
			at = 0;
		}
		enter_window(writer, index, chunk, at);
		index += slot_pages(chunk ? chunk->slot[at] : log->slot);
		writer->tail = chunk;
		writer->window_nr++;
		at++;
	}
}

static struct extent_chunk *alloc_chunk(size_t bytes)
{
	struct extent_chunk *chunk = kmalloc(bytes, GFP_KERNEL_ACCOUNT);

	if (!chunk)
		return NULL;

	chunk->next = NULL;
	chunk->nr = 0;
	chunk->capacity = (bytes - sizeof(*chunk)) / sizeof(chunk->slot[0]);
	return chunk;
}

/* From now on slots are in chunks; what is in the log moves there. */
static void make_long(struct extent_writer *writer, struct extent_chunk *chunk)
{
	struct extent_log *log = writer->log;

	if (log->npages) {
		chunk->slot[0] = log->slot;
		chunk->nr = 1;
		writer->tail = chunk;
		writer->window_chunk = chunk;
	}
	log->chunks = chunk;
	log->is_long = true;
}

/**
 * extent_writer_reserve() - Make sure that the next appends need no memory
 * @writer: the writer
 * @n: how many appends
 *
 * Context: Process context, may sleep.
 * Return: 0, or -ENOMEM with what the log says as it was.
 */
int extent_writer_reserve(struct extent_writer *writer, unsigned int n)
{
	struct extent_chunk *chunk, *last = writer->tail;
	size_t bytes = FIRST_CHUNK_BYTES;
	unsigned int room = 0;

	/* The log itself has room for the first. */
	if (n == 1 && !writer->log->npages)
		return 0;

	for (chunk = chunk_for_next(writer); chunk; chunk = chunk->next) {
		room += chunk->capacity - chunk->nr;
		last = chunk;
	}

	for (; room < n; room += chunk->capacity - chunk->nr, last = chunk) {
		if (last)
			bytes = min_t(size_t, LAST_CHUNK_BYTES,
				      2 * struct_size(last, slot, last->capacity));
		chunk = alloc_chunk(bytes);
		if (!chunk)
			return -ENOMEM;

		if (last)
			last->next = chunk;
		else
			make_long(writer, chunk);
	}
	return 0;
}

static u64 *last_slot(const struct extent_writer *writer)
{
	if (writer->tail)
		return &writer->tail->slot[writer->tail->nr - 1];
	return writer->log->npages ? &writer->log->slot : NULL;
}

static void add_slot(struct extent_writer *writer, u64 slot)
{
	struct extent_log *log = writer->log;
	struct extent_chunk *chunk = chunk_for_next(writer);

	if (chunk) {
		chunk->slot[chunk->nr++] = slot;
		writer->tail = chunk;
	} else {
		if (WARN_ON_ONCE(log->npages))
			return;
		log->slot = slot;
	}
	writer->window_nr++;
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

/* Pages from page @index on, itself included, that are in its window. */
static unsigned long room_at(const struct extent_writer *writer,
			     unsigned long index)
{
	return extent_window_room((writer->base + index) << PAGE_SHIFT);
}

/*
 * The first page of the window that page @index is in. Page 0 stands for the
 * window's start where the mapping begins inside the window.
 */
static unsigned long window_start(const struct extent_writer *writer,
				  unsigned long index)
{
	unsigned long into = EXTENT_WINDOW_PAGES - room_at(writer, index);

	return index - min(index, into);
}

/* Does the last slot end inside an opaque window, so that more goes there? */
static bool is_in_opaque_window(const struct extent_writer *writer,
				const u64 *last)
{
	return last && slot_kind(*last) == EXTENT_OPAQUE &&
	       room_at(writer, writer->log->npages) != EXTENT_WINDOW_PAGES;
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

/* A walk over the slots that began in the present window, which are in chunks. */
struct window_walk {
	struct extent_chunk *chunk;
	unsigned int at;
	unsigned int left;
};

static struct window_walk window_walk_init(const struct extent_writer *writer)
{
	return (struct window_walk){
		.chunk = writer->window_chunk,
		.at = writer->window_at,
		.left = writer->window_nr,
	};
}

static u64 *window_walk_next(struct window_walk *walk)
{
	if (!walk->left)
		return NULL;

	walk->left--;
	if (walk->at == walk->chunk->nr) {
		walk->chunk = walk->chunk->next;
		walk->at = 0;
	}
	return &walk->chunk->slot[walk->at++];
}

/* Are all slots of the present window memory that was pinned page by page? */
static bool window_is_plain(const struct extent_writer *writer)
{
	struct window_walk walk = window_walk_init(writer);
	u64 *slot;

	while ((slot = window_walk_next(&walk)))
		if (slot_kind(*slot) != EXTENT_PAGES)
			return false;
	return true;
}

/* Give up the slots of the present window; chunks that get empty are spares. */
static void drop_window_slots(struct extent_writer *writer)
{
	struct window_walk walk = window_walk_init(writer);
	struct extent_chunk *first = writer->window_chunk;
	struct extent_chunk *chunk, *before = NULL;
	u64 *slot;

	while ((slot = window_walk_next(&walk)))
		writer->log->npages -= slot_pages(*slot);
	writer->window_nr = 0;

	first->nr = writer->window_at;
	for (chunk = first->next; chunk && chunk->nr; chunk = chunk->next)
		chunk->nr = 0;

	writer->tail = first;
	if (!first->nr) {
		for (chunk = writer->log->chunks; chunk != first;
		     chunk = chunk->next)
			before = chunk;
		writer->tail = before;
	}
}

/*
 * Make the present window opaque from its start, or from where it went on after
 * an opaque or other kind's extent that reached into it.
 */
static bool collapse_window(struct extent_writer *writer)
{
	struct extent_log *log = writer->log;
	const unsigned long end = log->npages;
	const unsigned long start = window_start(writer, end - 1);
	unsigned long npages;
	u64 *last;

	if (!window_is_plain(writer))
		return false;

	drop_window_slots(writer);
	log->has_opaque = true;

	last = last_slot(writer);
	if (last && log->npages > start && slot_kind(*last) == EXTENT_PAGES)
		resize_last_slot(log, last,
				 slot_pages(*last) - (log->npages - start));

	npages = end - log->npages;
	if (last && slot_kind(*last) == EXTENT_OPAQUE &&
	    slot_pages(*last) + EXTENT_WINDOW_PAGES <= EXTENT_MAX_PAGES)
		resize_last_slot(log, last, slot_pages(*last) + npages);
	else
		add_slot(writer, pack(0, npages, EXTENT_OPAQUE));
	return true;
}

/* Add a slot; false where its window went opaque instead. */
static bool add_to_window(struct extent_writer *writer, u64 slot)
{
	struct extent_chunk *chunk = chunk_for_next(writer);

	enter_window(writer, writer->log->npages, chunk, chunk ? chunk->nr : 0);
	if (slot_kind(slot) == EXTENT_PAGES &&
	    writer->window_nr >= EXTENT_WINDOW_SLOTS && collapse_window(writer))
		return false;

	add_slot(writer, slot);
	return true;
}

/**
 * extent_writer_append() - Log what stands behind the next pages
 * @writer: the writer
 * @pfn: first frame
 * @npages: how many pages; extent_fits() must be true
 * @kind: EXTENT_PAGES, EXTENT_DEVICE or an order
 *
 * Context: Any; extent_writer_reserve() made room for it.
 */
void extent_writer_append(struct extent_writer *writer, unsigned long pfn,
			  unsigned long npages, unsigned int kind)
{
	struct extent_log *log = writer->log;

	if (kind == EXTENT_DEVICE)
		log->has_device = true;

	/* At most twice: what fits into an opaque window, then the rest. */
	while (npages) {
		u64 *last = last_slot(writer);

		if (kind == EXTENT_PAGES && is_in_opaque_window(writer, last)) {
			unsigned long n = min(npages,
					      room_at(writer, log->npages));

			grow_slot(log, last, n);
			pfn += n;
			npages -= n;
			continue;
		}

		if (last && merges(*last, pfn, npages, kind)) {
			grow_slot(log, last, npages);
			return;
		}

		if (add_to_window(writer, pack(pfn, npages, kind)))
			return;
	}
}

/**
 * extent_writer_finish() - Nothing more is to come
 * @writer: the writer, which may append all the same after extent_writer_reserve()
 *
 * Context: Any.
 */
void extent_writer_finish(struct extent_writer *writer)
{
	if (writer->tail) {
		free_chunks(writer->tail->next);
		writer->tail->next = NULL;
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
	*iter = (struct extent_iter){
		.log = log,
		.chunk = log->is_long ? log->chunks : NULL,
	};
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
	u64 slot = iter->log->slot;

	if (iter->index == iter->log->npages)
		return false;

	if (iter->chunk) {
		if (iter->slot == iter->chunk->nr) {
			iter->chunk = iter->chunk->next;
			iter->slot = 0;
		}
		slot = iter->chunk->slot[iter->slot++];
	}

	iter->now = (struct extent){
		.index = iter->index,
		.pfn = slot_pfn(slot),
		.npages = slot_pages(slot),
		.kind = slot_kind(slot),
	};
	iter->index += iter->now.npages;
	return true;
}
