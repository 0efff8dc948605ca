/* SPDX-License-Identifier: GPL-2.0-only */
/* Strings of bits, one a page: taking parts of one as a user's bitmap wants them. */
#ifndef VFIO_TYPE1_BITS_H
#define VFIO_TYPE1_BITS_H

#include <linux/types.h>

/**
 * struct bits_part - Pages of a string, and the bits of a user's that they become
 *
 * One bit of the user's stands for 2^@order pages and is set where any of them is.
 *
 * @from: first page, in the string
 * @to: where that page is, counted in pages from the user's first bit on
 * @npages: how many pages
 * @order: pages that one of the user's bits stands for, as a power of two
 */
struct bits_part {
	unsigned long from;
	unsigned long to;
	unsigned long npages;
	unsigned int order;
};

/* The first of the user's bits that a part is about. */
static inline unsigned long bits_first(const struct bits_part *part)
{
	return part->to >> part->order;
}

/* How many of the user's bits a part is about. */
static inline unsigned long bits_count(const struct bits_part *part)
{
	return ((part->to + part->npages - 1) >> part->order) -
	       bits_first(part) + 1;
}

void bits_limit(struct bits_part *part, unsigned long room);
void bits_extract(unsigned long *out, const unsigned long *string,
		  const struct bits_part *part);
unsigned long bits_edge_mask(unsigned long first, unsigned long count,
			     unsigned long word);

#endif /* VFIO_TYPE1_BITS_H */
