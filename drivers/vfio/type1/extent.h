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
/* The fields of a slot. */
#define EXTENT_PFN_BITS		40
#define EXTENT_PAGES_BITS	19
#define EXTENT_KIND_BITS	5

/* Pages of a log: an address space has PAGE_SHIFT bits less, flags need three. */
#define EXTENT_LOG_PAGES_BITS	(BITS_PER_LONG - 3)

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
 * @nr: slots in use
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
 * Guarded by whatever guards the mapping that owns it. All bits zero is an empty
 * one.
 *
 * @npages: pages logged, from the start of the mapping on without holes; to be
 *	read by extent_log_pages()
 * @is_long: slots are in @chunks
 * @has_opaque: there may be extents of that kind
 * @has_device: there are extents of that kind
 * @slot: the one slot, where that does
 * @chunks: all of them, where it does not
 */
struct extent_log {
	unsigned long npages : EXTENT_LOG_PAGES_BITS;
	unsigned long is_long : 1;
	unsigned long has_opaque : 1;
	unsigned long has_device : 1;
	union {
		u64 slot;
		struct extent_chunk *chunks;
	};
};

/**
 * struct extent_writer - Who appends to a log
 *
 * Others may clear the log meanwhile; then the writer is to be made anew.
 */
struct extent_writer {
	/* private: */
	struct extent_log *log;
	unsigned long base;		/* page of IOVA that the log begins at */
	struct extent_chunk *tail;	/* chunk of the last slot; or NULL: none is in one */
	unsigned long window;		/* number of the window that was entered last */
	struct extent_chunk *window_chunk;	/* where its slots begin: the chunk, */
	unsigned int window_at;		/* and the slot in it */
	unsigned int window_nr;		/* how many slots began in it */
};

/**
 * struct extent_iter - A walk over a log from its start
 * @now: the extent the walk is at, after extent_iter_next() said true
 */
struct extent_iter {
	struct extent now;
	/* private: */
	const struct extent_log *log;
	const struct extent_chunk *chunk;	/* NULL: the slot in the log */
	unsigned int slot;			/* to read next */
	unsigned long index;			/* page behind @now */
};

void extent_log_clear(struct extent_log *log);
unsigned long extent_log_counted(const struct extent_log *log);
size_t extent_log_bytes(const struct extent_log *log);

void extent_writer_init(struct extent_writer *writer, struct extent_log *log,
			unsigned long iova);
int extent_writer_reserve(struct extent_writer *writer, unsigned int n);
void extent_writer_append(struct extent_writer *writer, unsigned long pfn,
			  unsigned long npages, unsigned int kind);
void extent_writer_finish(struct extent_writer *writer);

unsigned long extent_pins(const struct extent *extent);

void extent_iter_init(struct extent_iter *iter, const struct extent_log *log);
bool extent_iter_next(struct extent_iter *iter);

/**
 * extent_log_pages() - How many pages does a log have?
 * @log: the log
 */
static inline unsigned long extent_log_pages(const struct extent_log *log)
{
	return log->npages;
}

/**
 * extent_fits() - Can the log hold these frames?
 * @pfn: first frame
 * @npages: how many, at least one
 *
 * Context: Any.
 * Return: true when extent_writer_append() may be called with them.
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
 * extent_window_room() - How many pages are left in a window?
 * @iova: address of a page in it
 *
 * Return: their number, the page itself included.
 */
static inline unsigned long extent_window_room(unsigned long iova)
{
	return EXTENT_WINDOW_PAGES -
	       ((iova >> PAGE_SHIFT) & (EXTENT_WINDOW_PAGES - 1));
}

#endif /* VFIO_TYPE1_EXTENT_H */
