// SPDX-License-Identifier: GPL-2.0-only
/*
 * Strings of bits, one a page: taking parts of one as a user's bitmap wants them.
 *
 * A mapping's dirty pages are a string from its first page on. A user's bitmap
 * begins at an address of the user's choice, so that the string lies somewhere in
 * it, at any bit of a word. What is taken for it is therefore laid out as it will be
 * there: out of a buffer whose first bit is a multiple of a word in the user's
 * bitmap, whole words can be copied, and only the first and the last one hold bits
 * of others (see bits_edge_mask()).
 *
 * Nothing here knows of a lock or of user memory.
 */
#include "bits.h"

#include <linux/bitmap.h>
#include <linux/bits.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/string.h>

/**
 * bits_limit() - Cut a part to what a buffer can take
 * @part: the part, of at least one page; it keeps one
 * @room: bits of the buffer, at least two words
 *
 * Where it is cut, one of the user's bits begins.
 *
 * Context: Any.
 */
void bits_limit(struct bits_part *part, unsigned long room)
{
	const unsigned long first = bits_first(part);
	const unsigned long end = first - first % BITS_PER_LONG + room;

	/* A part that ends beyond has its bits from @end on cut off. */
	if (first + bits_count(part) > end)
		part->npages = (end << part->order) - part->to;
}

/* Where both begin at the same bit of a word, words can be copied whole. */
static void copy_words(unsigned long *out, const unsigned long *string,
		       unsigned long from, unsigned long npages)
{
	const unsigned long first = from / BITS_PER_LONG;
	const unsigned long last = (from + npages - 1) / BITS_PER_LONG;

	memcpy(out, string + first, (last - first + 1) * sizeof(*out));
}

static void copy_bits(unsigned long *out, unsigned long at,
		      const unsigned long *string, unsigned long from,
		      unsigned long npages)
{
	while (npages) {
		unsigned long n = min(npages, BITS_PER_LONG - at % BITS_PER_LONG);

		bitmap_write(out, bitmap_read(string, from, n), at, n);
		at += n;
		from += n;
		npages -= n;
	}
}

static void fold_bits(unsigned long *out, const unsigned long *string,
		      const struct bits_part *part)
{
	const unsigned long end = part->from + part->npages;
	const unsigned long base = round_down(bits_first(part), BITS_PER_LONG);
	unsigned long page = part->from;

	bitmap_zero(out, bits_first(part) - base + bits_count(part));
	for_each_set_bit_from(page, string, end)
		__set_bit(((part->to + page - part->from) >> part->order) - base,
			  out);
}

/**
 * bits_extract() - Take a part of a string
 * @out: a buffer for the words of the user's bitmap that the part touches
 * @string: the string
 * @part: the part, of at least one page
 *
 * Bits of the first and of the last word that do not belong to the part may
 * be anything.
 *
 * Context: Any.
 */
void bits_extract(unsigned long *out, const unsigned long *string,
		  const struct bits_part *part)
{
	const unsigned long at = part->to % BITS_PER_LONG;

	if (part->order)
		fold_bits(out, string, part);
	else if (at == part->from % BITS_PER_LONG)
		copy_words(out, string, part->from, part->npages);
	else
		copy_bits(out, at, string, part->from, part->npages);
}

/**
 * bits_edge_mask() - Which bits of a word belong to a run of bits?
 * @first: first bit of the run
 * @count: bits in the run, at least one
 * @word: number of the word, one that the run touches
 *
 * Context: Any.
 * Return: a mask; all ones for a word that is all the run's.
 */
unsigned long bits_edge_mask(unsigned long first, unsigned long count,
			     unsigned long word)
{
	const unsigned long last = first + count - 1;
	unsigned long mask = ~0UL;

	if (word == first / BITS_PER_LONG)
		mask &= BITMAP_FIRST_WORD_MASK(first);
	if (word == last / BITS_PER_LONG)
		mask &= BITMAP_LAST_WORD_MASK(last + 1);
	return mask;
}
