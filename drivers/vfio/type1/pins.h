/* SPDX-License-Identifier: GPL-2.0-only */
/* The table of a mapping's pages that drivers hold, and how often. */
#ifndef VFIO_TYPE1_PINS_H
#define VFIO_TYPE1_PINS_H

#include <linux/rbtree.h>
#include <linux/types.h>

/* Pages that one chunk of a table is about. */
#define PIN_CHUNK_PAGES		16U

/* Bits of a slot: a frame number, and above it how often it is held. */
#define PIN_PFN_BITS		40
#define PIN_COUNT_MAX		((1U << (64 - PIN_PFN_BITS)) - 1)

struct pin_chunk;

/**
 * struct pin_table - Pages by index, each with a frame and a count
 *
 * Guarded by whatever guards the mapping that owns it.
 *
 * @chunks: tree of chunks by index
 * @spare: a chunk without pages for when one is needed, or NULL
 * @npages: pages in the table
 */
struct pin_table {
	struct rb_root chunks;
	struct pin_chunk *spare;
	unsigned long npages;
};

/**
 * struct pin_walk - Access to a table that is quick for pages near each other
 *
 * Valid as long as nobody else changes the table.
 */
struct pin_walk {
	/* private: */
	struct pin_table *table;
	struct pin_chunk *chunk;
};

/**
 * enum pin_left - What is left when a pin was given back
 * @PIN_NOT_THERE: there was none
 * @PIN_HELD: others
 * @PIN_LAST: nothing: the page is to be unpinned
 */
enum pin_left {
	PIN_NOT_THERE,
	PIN_HELD,
	PIN_LAST,
};

void pin_table_init(struct pin_table *table);
void pin_table_destroy(struct pin_table *table);

/**
 * pin_walk_init() - Begin to look at a table
 * @walk: the walk
 * @table: the table
 *
 * Context: Any.
 */
static inline void pin_walk_init(struct pin_walk *walk, struct pin_table *table)
{
	*walk = (struct pin_walk){ .table = table };
}

int pin_walk_get(struct pin_walk *walk, unsigned long index,
		 unsigned long *pfn);
int pin_walk_add(struct pin_walk *walk, unsigned long index,
		 unsigned long pfn);
enum pin_left pin_walk_put(struct pin_walk *walk, unsigned long index,
			   unsigned long *pfn);
bool pin_walk_next(struct pin_walk *walk, unsigned long *index);
bool pin_walk_has(struct pin_walk *walk, unsigned long index);

#endif /* VFIO_TYPE1_PINS_H */
