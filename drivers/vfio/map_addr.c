// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where a mapping of a device goes when its user leaves that to the kernel: to
 * an address that lets faults insert huge entries.
 *
 * An entry of the page tables covers an aligned block of addresses by an aligned
 * block of frames. Drivers give a region a file offset and a bus address that
 * agree modulo the region's size, as BARs are aligned to theirs. So an address
 * that agrees with the file offset agrees with the frames, and nobody has to ask
 * the driver. A region for which this does not hold only gets small entries.
 */
#include <linux/align.h>
#include <linux/array_size.h>
#include <linux/err.h>
#include <linux/kconfig.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/overflow.h>
#include <linux/pgtable.h>
#include <linux/sched/coredump.h>
#include <linux/sched/mm.h>

#include "map_addr.h"

/* Blocks that one entry maps, the largest first; 0 where there is none. */
static const unsigned long block_sizes[] = {
#ifdef CONFIG_ARCH_SUPPORTS_PUD_PFNMAP
	PUD_SIZE,
#endif
#ifdef CONFIG_ARCH_SUPPORTS_PMD_PFNMAP
	PMD_SIZE,
#endif
	0
};

static bool holds_block(u64 offset, unsigned long len, unsigned long size)
{
	u64 first, end;

	return !check_add_overflow(offset, (u64)size - 1, &first) &&
	       !check_add_overflow(offset, (u64)len, &end) &&
	       end > ALIGN_DOWN(first, size) &&
	       end - ALIGN_DOWN(first, size) >= size;
}

/*
 * An address that agrees with offset modulo size, or 0. Out of a gap that is
 * larger by one block, the end that is nearest to what is mapped already.
 */
static unsigned long congruent_addr(struct file *file, unsigned long len,
				    u64 offset, unsigned long flags,
				    unsigned long size)
{
	unsigned long padded, gap, last;

	if (!holds_block(offset, len, size) ||
	    check_add_overflow(len, size, &padded))
		return 0;

	gap = mm_get_unmapped_area(current->mm, file, 0, padded,
				   offset >> PAGE_SHIFT, flags);
	if (IS_ERR_VALUE(gap))
		return 0;
	if (!test_bit(MMF_TOPDOWN, &current->mm->flags))
		return gap + ((offset - gap) & (size - 1));

	last = gap + size;
	return last - ((last - offset) & (size - 1));
}

/**
 * vfio_map_addr() - Choose the address of a mapping of a device
 * @file: file of the device
 * @hint: address that the user would like, 0 for none
 * @len: bytes, whole pages
 * @pgoff: file offset in pages
 * @flags: MAP_*
 *
 * For &file_operations.get_unmapped_area. An address that the user fixed, and a
 * hint that is free, are taken as they are. Other mappings that are large enough
 * to hold a huge block agree with their file offset modulo its size, as long as
 * the address space has room for that.
 *
 * Context: Process context, mmap_lock held for writing.
 * Return: the address, or an errno as mmap() gives it.
 */
unsigned long vfio_map_addr(struct file *file, unsigned long hint,
			    unsigned long len, unsigned long pgoff,
			    unsigned long flags)
{
	u64 offset = (u64)pgoff << PAGE_SHIFT;
	unsigned long plain, addr;
	size_t i;

	plain = mm_get_unmapped_area(current->mm, file, hint, len, pgoff,
				     flags);
	if (IS_ERR_VALUE(plain) || (flags & MAP_FIXED) ||
	    (hint && plain == hint))
		return plain;

	for (i = 0; block_sizes[i]; i++) {
		addr = congruent_addr(file, len, offset, flags,
				      block_sizes[i]);
		if (addr)
			return addr;
	}
	return plain;
}
