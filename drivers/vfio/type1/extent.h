/* SPDX-License-Identifier: GPL-2.0-only */
/* The extent log: which frames stand behind a mapping, in a few bytes. */
#ifndef VFIO_TYPE1_EXTENT_H
#define VFIO_TYPE1_EXTENT_H

#include <asm/page.h>
#include <linux/bits.h>
#include <linux/sizes.h>
#include <linux/types.h>

/* A window: a naturally aligned 2 MiB of IOVA, in pages. */
#define EXTENT_WINDOW_PAGES	(SZ_2M >> PAGE_SHIFT)
/* Slots that the fragments of one window may take before it goes opaque. */
#define EXTENT_WINDOW_SLOTS	56U
/* Slots that every log has without allocating. */
#define EXTENT_INLINE_SLOTS	2U

/* The fields of a slot. */
#define EXTENT_PFN_BITS		40
#define EXTENT_PAGES_BITS	19
#define EXTENT_KIND_BITS	5

/* The longest extent, in pages. */
#define EXTENT_MAX_PAGES	BIT(EXTENT_PAGES_BITS)

/**
 * enum extent_kind - What an extent's frames are and which pins it holds
 *
 * @EXTENT_PAGES: memory, one pin for each page. Values up to
 *	@EXTENT_MAX_ORDER are an order: memory with one pin for each naturally
 *	aligned block of 2^order frames that the extent touches.
 * @EXTENT_MAX_ORDER: the largest order
 * @EXTENT_OPAQUE: memory in too many pieces to log, one pin for each page; the
 *	frames are to be read back from an IOMMU domain, window by window
 * @EXTENT_DEVICE: frames of a device; not pinned and not charged
 */
enum extent_kind {
	EXTENT_PAGES = 0,
	EXTENT_MAX_ORDER = 29,
	EXTENT_OPAQUE = 30,
	EXTENT_DEVICE = 31,
};

/**
 * struct extent - A run of pages, as an iterator tells it
 * @index: first page, counted from the start of the mapping
 * @pfn: first frame; meaningless for EXTENT_OPAQUE
 * @npages: pages
 * @kind: an enum extent_kind or an order
 */
struct extent {
	unsigned long index;
	unsigned long pfn;
	unsigned long npages;
	unsigned int kind;
};

/**
 * struct extent_chunk - Slots allocated together
 * @next: the chunk behind this one
 * @capacity: slots that there is memory for
 * @nr: slots in use; those of the chunks behind @tail are unused spares
 * @slot: the slots
 */
struct extent_chunk {
	struct extent_chunk *next;
	u16 capacity;
	u16 nr;
	u64 slot[];
};

/**
 * struct extent_log - An append-only record of extents
 *
 * Guarded by whatever guards the mapping that owns it.
 *
 * @npages: pages logged, from the start of the mapping on without holes
 * @inline_slot: the first slots
 * @chunks: the slots after those
 * @tail: chunk that the last slot is in; NULL while @inline_slot will do
 * @window_tail: chunk that slot number @window_slot is in, or NULL as above
 * @window: number of the window that @window_slot is about
 * @nr_slots: slots in use
 * @window_slot: first slot that began in @window
 * @phase: pages from the window's start to the start of the mapping
 * @inline_nr: slots in use of @inline_slot
 * @has_opaque: there may be extents of that kind
 */
struct extent_log {
	unsigned long npages;
	u64 inline_slot[EXTENT_INLINE_SLOTS];
	struct extent_chunk *chunks;
	struct extent_chunk *tail;
	struct extent_chunk *window_tail;
	unsigned long window;
	unsigned int nr_slots;
	unsigned int window_slot;
	u16 phase;
	u8 inline_nr;
	bool has_opaque;
};

/**
 * struct extent_iter - A walk over a log from its start
 * @now: the extent the walk is at, after extent_iter_next() said true
 */
struct extent_iter {
	struct extent now;
	/* private: */
	const struct extent_log *log;
	const struct extent_chunk *chunk;	/* NULL: the inline slots */
	unsigned int slot;			/* to read next */
	unsigned long index;			/* page behind @now */
};

void extent_log_init(struct extent_log *log, unsigned long iova);
void extent_log_clear(struct extent_log *log);
int extent_log_reserve(struct extent_log *log);
void extent_log_append(struct extent_log *log, unsigned long pfn,
		       unsigned long npages, unsigned int kind);
size_t extent_log_bytes(const struct extent_log *log);
unsigned long extent_pins(const struct extent *extent);

void extent_iter_init(struct extent_iter *iter, const struct extent_log *log);
bool extent_iter_next(struct extent_iter *iter);

/**
 * extent_fits() - Can the log hold these frames?
 * @pfn: first frame
 * @npages: how many, at least one
 *
 * Context: Any.
 * Return: true when extent_log_append() may be called with them.
 */
static inline bool extent_fits(unsigned long pfn, unsigned long npages)
{
	return npages <= EXTENT_MAX_PAGES &&
	       !((u64)(pfn + npages - 1) >> EXTENT_PFN_BITS);
}

/**
 * extent_is_counted() - Are pages of a kind charged as locked memory?
 * @kind: an enum extent_kind or an order
 */
static inline bool extent_is_counted(unsigned int kind)
{
	return kind != EXTENT_DEVICE;
}

/**
 * extent_may_grow_at() - May an extent be made longer by what begins at a frame?
 * @pfn: the frame behind the extent
 * @kind: kind of both
 *
 * Half a block on either side would count one pin twice, or two pins once.
 */
static inline bool extent_may_grow_at(unsigned long pfn, unsigned int kind)
{
	return kind > EXTENT_MAX_ORDER || !(pfn & (BIT(kind) - 1));
}

/**
 * extent_window_room() - How many pages are left in a page's window?
 * @log: the log
 * @index: the page, counted from the start of the mapping
 *
 * Return: their number, the page itself included.
 */
static inline unsigned long
extent_window_room(const struct extent_log *log, unsigned long index)
{
	return EXTENT_WINDOW_PAGES -
	       ((log->phase + index) & (EXTENT_WINDOW_PAGES - 1));
}

#endif /* VFIO_TYPE1_EXTENT_H */
