// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of a mapping's pages that drivers hold, and how often.
 *
 * Drivers pin what they are about to use: single pages here and there, or the
 * ring buffers and frames of a guest in long stretches. So pages are kept by chunks
 * of a few neighbours, in a tree. A slot is 64 bits, a frame number with a count
 * above it; one that is 0 is free. A chunk goes with its last page, but one is
 * kept: many a driver pins and unpins a page at a time.
 *
 * The first pin of a page says which frame it is. Later ones join it, whatever
 * the process has at that address by then: a device sees one page at one IOVA.
 */
#include "pins.h"

#include <linux/bits.h>
#include <linux/bug.h>
#include <linux/errno.h>
#include <linux/slab.h>

/**
 * struct pin_chunk - The pages of one stretch that are held
 * @node: link in &pin_table.chunks
 * @key: index of the first page, divided by PIN_CHUNK_PAGES
 * @nr: slots in use
 * @slot: the pages
 */
struct pin_chunk {
	struct rb_node node;
	unsigned long key;
	unsigned int nr;
	u64 slot[PIN_CHUNK_PAGES];
};

#define COUNT_ONE	BIT_ULL(PIN_PFN_BITS)

static unsigned long slot_pfn(u64 slot)
{
	return slot & (COUNT_ONE - 1);
}

static unsigned int slot_count(u64 slot)
{
	return slot >> PIN_PFN_BITS;
}

/**
 * pin_table_init() - Begin an empty table
 * @table: the table
 *
 * Context: Any.
 */
void pin_table_init(struct pin_table *table)
{
	*table = (struct pin_table){ .chunks = RB_ROOT };
}

/**
 * pin_table_destroy() - Free a table and forget what is in it
 * @table: the table; empty afterwards
 *
 * Context: Any.
 */
void pin_table_destroy(struct pin_table *table)
{
	struct pin_chunk *chunk, *next;

	rbtree_postorder_for_each_entry_safe(chunk, next, &table->chunks, node)
		kfree(chunk);
	kfree(table->spare);
	pin_table_init(table);
}

static struct pin_chunk *find_chunk(struct pin_walk *walk, unsigned long key)
{
	struct rb_node *node;

	if (walk->chunk && walk->chunk->key == key)
		return walk->chunk;

	node = walk->table->chunks.rb_node;
	while (node) {
		struct pin_chunk *chunk = rb_entry(node, struct pin_chunk, node);

		if (chunk->key == key) {
			walk->chunk = chunk;
			return chunk;
		}
		node = key < chunk->key ? node->rb_left : node->rb_right;
	}
	return NULL;
}

static bool chunk_is_less(struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct pin_chunk, node)->key <
	       rb_entry(b, struct pin_chunk, node)->key;
}

static struct pin_chunk *add_chunk(struct pin_walk *walk, unsigned long key)
{
	struct pin_chunk *chunk = walk->table->spare;

	walk->table->spare = NULL;
	if (!chunk)
		chunk = kzalloc(sizeof(*chunk), GFP_KERNEL_ACCOUNT);
	if (!chunk)
		return NULL;

	chunk->key = key;
	rb_add(&chunk->node, &walk->table->chunks, chunk_is_less);
	walk->chunk = chunk;
	return chunk;
}

/* A chunk without pages goes, or is the spare one. */
static void remove_chunk(struct pin_walk *walk, struct pin_chunk *chunk)
{
	rb_erase(&chunk->node, &walk->table->chunks);
	walk->chunk = NULL;
	if (walk->table->spare)
		kfree(chunk);
	else
		walk->table->spare = chunk;
}

static u64 *find_slot(struct pin_walk *walk, unsigned long index)
{
	struct pin_chunk *chunk = find_chunk(walk, index / PIN_CHUNK_PAGES);

	return chunk ? &chunk->slot[index % PIN_CHUNK_PAGES] : NULL;
}

/**
 * pin_walk_has() - Is a page in the table?
 * @walk: the walk
 * @index: the page
 *
 * Context: Any.
 * Return: true when it is.
 */
bool pin_walk_has(struct pin_walk *walk, unsigned long index)
{
	const u64 *slot = find_slot(walk, index);

	return slot && *slot;
}

/**
 * pin_walk_get() - Hold a page once more
 * @walk: the walk
 * @index: the page
 * @pfn: set to its frame
 *
 * Context: Any.
 * Return: 0, -ENOENT for a page that is not in the table, or -EOVERFLOW for one
 * that is held as often as can be counted.
 */
int pin_walk_get(struct pin_walk *walk, unsigned long index, unsigned long *pfn)
{
	u64 *slot = find_slot(walk, index);

	if (!slot || !*slot)
		return -ENOENT;
	if (slot_count(*slot) == PIN_COUNT_MAX)
		return -EOVERFLOW;

	*slot += COUNT_ONE;
	*pfn = slot_pfn(*slot);
	return 0;
}

/**
 * pin_walk_add() - Put a page into the table, held once
 * @walk: the walk
 * @index: the page, which is not in the table
 * @pfn: its frame
 *
 * Context: Process context, may sleep.
 * Return: 0, -ENOMEM, or -EINVAL for a frame number that is too large.
 */
int pin_walk_add(struct pin_walk *walk, unsigned long index, unsigned long pfn)
{
	const unsigned long key = index / PIN_CHUNK_PAGES;
	struct pin_chunk *chunk;

	if ((u64)pfn >> PIN_PFN_BITS)
		return -EINVAL;

	chunk = find_chunk(walk, key) ?: add_chunk(walk, key);
	if (!chunk)
		return -ENOMEM;

	chunk->slot[index % PIN_CHUNK_PAGES] = pfn | COUNT_ONE;
	chunk->nr++;
	walk->table->npages++;
	return 0;
}

/**
 * pin_walk_put() - Give a page back that was held
 * @walk: the walk
 * @index: the page
 * @pfn: set to its frame where that is to be unpinned
 *
 * Context: Any.
 * Return: who else holds it.
 */
enum pin_left pin_walk_put(struct pin_walk *walk, unsigned long index,
			   unsigned long *pfn)
{
	struct pin_chunk *chunk;
	u64 *slot = find_slot(walk, index);

	if (!slot || !*slot)
		return PIN_NOT_THERE;

	*slot -= COUNT_ONE;
	if (slot_count(*slot))
		return PIN_HELD;

	*pfn = slot_pfn(*slot);
	*slot = 0;
	walk->table->npages--;

	chunk = walk->chunk;
	if (!--chunk->nr)
		remove_chunk(walk, chunk);
	return PIN_LAST;
}

/* The first chunk that has an index at or behind @key. */
static struct pin_chunk *chunk_from(struct pin_walk *walk, unsigned long key)
{
	struct rb_node *node = walk->table->chunks.rb_node;
	struct pin_chunk *found = NULL;

	if (walk->chunk && walk->chunk->key == key)
		return walk->chunk;

	while (node) {
		struct pin_chunk *chunk = rb_entry(node, struct pin_chunk, node);

		if (chunk->key < key) {
			node = node->rb_right;
			continue;
		}
		found = chunk;
		node = node->rb_left;
	}
	return found;
}

/**
 * pin_walk_next() - Find the next page that is held
 * @walk: the walk
 * @index: where to begin to look; set to the page's
 *
 * Context: Any.
 * Return: false when there is none.
 */
bool pin_walk_next(struct pin_walk *walk, unsigned long *index)
{
	unsigned int i = *index % PIN_CHUNK_PAGES;
	struct pin_chunk *chunk;

	chunk = chunk_from(walk, *index / PIN_CHUNK_PAGES);
	if (chunk && chunk->key != *index / PIN_CHUNK_PAGES)
		i = 0;

	while (chunk) {
		for (; i < PIN_CHUNK_PAGES; i++) {
			if (!chunk->slot[i])
				continue;
			walk->chunk = chunk;
			*index = chunk->key * PIN_CHUNK_PAGES + i;
			return true;
		}
		chunk = rb_entry_safe(rb_next(&chunk->node), struct pin_chunk,
				      node);
		i = 0;
	}
	return false;
}
