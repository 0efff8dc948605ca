// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pinning user memory, and finding the frames of devices that programs mapped.
 *
 * A &struct type1_pinner walks over a stretch of user memory by batches. What it
 * pinned is told as runs, each with the kind that says how it is let go again;
 * nothing is ever worked out afresh from a page's or a VMA's state, which may have
 * changed by then.
 */
#include <linux/gfp.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/pgtable.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "type1.h"
#include <linux/iommu.h>

/* Pages to unpin before others may run. */
#define UNPIN_PAGES	4096UL

/* Faults on one page before we believe that it cannot be mapped. */
#define MAX_FAULTS	8

/* What is shorter is pinned page by page. */
#define LEAF_WORTH_PAGES	64UL

/**
 * type1_pinner_init() - Begin a walk over a mapping's memory
 * @pinner: the walk
 * @mapping: the mapping
 *
 * Context: Process context, may sleep. The caller keeps the mapping's memory
 * alive. Pairs with type1_pinner_destroy().
 */
void type1_pinner_init(struct type1_pinner *pinner,
		       const struct type1_mapping *mapping)
{
	/* Field by field: there is no need to write all of @few. */
	pinner->mm = mapping->payer->mm;
	pinner->is_write = mapping->prot & IOMMU_WRITE;
	pinner->skew = mapping->vaddr ^ mapping->span.first;
	pinner->pages = pinner->few;
	pinner->capacity = TYPE1_FEW_PAGES;
	pinner->nr = 0;
	pinner->pos = 0;
	pinner->run.npages = 0;
	type1_pinner_seek(pinner, mapping, 0);

	if (pinner->left > TYPE1_FEW_PAGES) {
		void *page = (void *)__get_free_page(GFP_KERNEL);

		if (page) {
			pinner->pages = page;
			pinner->capacity = PAGE_SIZE / sizeof(*pinner->pages);
		}
	}
}

/**
 * type1_pinner_seek() - Go on at a certain page
 * @pinner: the walk; its batch is let go
 * @mapping: the mapping
 * @index: the page
 *
 * Context: Process context, may sleep.
 */
void type1_pinner_seek(struct type1_pinner *pinner,
		       const struct type1_mapping *mapping,
		       unsigned long index)
{
	type1_pinner_drop(pinner);
	pinner->vaddr = mapping->vaddr + (index << PAGE_SHIFT);
	pinner->small_until = 0;
	pinner->left = type1_mapping_pages(mapping) - index;
	pinner->is_device = false;
}

/**
 * type1_pinner_drop() - Let go of what was pinned but not taken
 * @pinner: the walk
 *
 * Context: Process context, may sleep.
 */
void type1_pinner_drop(struct type1_pinner *pinner)
{
	if (pinner->pos < pinner->nr)
		unpin_user_pages(pinner->pages + pinner->pos,
				 pinner->nr - pinner->pos);
	pinner->nr = 0;
	pinner->pos = 0;
	if (pinner->run.npages)
		type1_unpin_run(&pinner->run, false);
	pinner->run.npages = 0;
}

/**
 * type1_pinner_destroy() - End a walk
 * @pinner: the walk; what was not taken is let go
 *
 * Context: Process context, may sleep.
 */
void type1_pinner_destroy(struct type1_pinner *pinner)
{
	type1_pinner_drop(pinner);
	if (pinner->pages != pinner->few)
		free_page((unsigned long)pinner->pages);
}

/**
 * type1_pin_pages() - Pin pages of user memory for as long as it takes
 * @mm: the memory, which the caller keeps alive
 * @vaddr: where
 * @npages: how many
 * @is_write: they will be written
 * @pages: filled
 *
 * Context: Process context, may sleep, with no lock that a page fault needs.
 * Return: how many were pinned, from the first on; -EFAULT for memory that is not
 * there, not accessible that way or not made of pages, -EINTR when being
 * killed, or what else pinning gave.
 */
long type1_pin_pages(struct mm_struct *mm, unsigned long vaddr, int npages,
		     bool is_write, struct page **pages)
{
	const unsigned int flags = FOLL_LONGTERM | (is_write ? FOLL_WRITE : 0);
	int locked = 1;
	long ret;

	if (mm == current->mm)
		return pin_user_pages_fast(vaddr, npages, flags, pages);

	ret = mmap_read_lock_killable(mm);
	if (ret)
		return ret;
	ret = pin_user_pages_remote(mm, vaddr, npages, flags, pages, &locked);
	if (locked)
		mmap_read_unlock(mm);
	return ret;
}

#if defined(CONFIG_HAVE_GUP_FAST) && defined(CONFIG_PGTABLE_HAS_HUGE_LEAVES)
/**
 * enum leaf_kind - What maps an address in our own page tables
 * @LEAF_NONE: nothing
 * @LEAF_SMALL: a table, so pages at most
 * @LEAF_LARGE: a leaf above the last level
 */
enum leaf_kind {
	LEAF_NONE,
	LEAF_SMALL,
	LEAF_LARGE,
};

/**
 * struct leaf - A leaf above the last level
 * @pfn: its first frame
 * @order: its pages, as a power of two
 * @is_ours: present, and accessible as needed
 */
struct leaf {
	unsigned long pfn;
	unsigned int order;
	bool is_ours;
};

/*
 * Look at the page tables of the process that runs. With interrupts off none of
 * them is freed, as for pin_user_pages_fast().
 */
static enum leaf_kind read_leaf(unsigned long vaddr, bool is_write,
				struct leaf *leaf)
{
	pgd_t pgd, *pgdp;
	p4d_t p4d, *p4dp;
	pud_t pud, *pudp;
	pmd_t pmd;

	lockdep_assert_irqs_disabled();

	pgdp = pgd_offset(current->mm, vaddr);
	pgd = READ_ONCE(*pgdp);
	if (pgd_none(pgd))
		return LEAF_NONE;

	p4dp = p4d_offset(&pgd, vaddr);
	p4d = READ_ONCE(*p4dp);
	if (p4d_none(p4d) || !p4d_present(p4d))
		return LEAF_NONE;

	pudp = pud_offset(&p4d, vaddr);
	pud = READ_ONCE(*pudp);
	if (pud_none(pud) || !pud_present(pud))
		return LEAF_NONE;
	if (pud_leaf(pud)) {
		leaf->pfn = pud_pfn(pud);
		leaf->order = PUD_SHIFT - PAGE_SHIFT;
		leaf->is_ours = pud_access_permitted(pud, is_write) &&
				!pud_devmap(pud);
		return LEAF_LARGE;
	}

	pmd = pmdp_get_lockless(pmd_offset(&pud, vaddr));
	if (pmd_none(pmd) || !pmd_present(pmd))
		return LEAF_NONE;
	if (!pmd_leaf(pmd))
		return LEAF_SMALL;
	leaf->pfn = pmd_pfn(pmd);
	leaf->order = PMD_SHIFT - PAGE_SHIFT;
	leaf->is_ours = pmd_access_permitted(pmd, is_write) &&
			!pmd_devmap(pmd);
	return LEAF_LARGE;
}

static enum leaf_kind look_at_leaf(unsigned long vaddr, bool is_write,
				   struct leaf *leaf)
{
	enum leaf_kind kind;
	unsigned long flags;

	local_irq_save(flags);
	kind = read_leaf(untagged_addr(vaddr), is_write, leaf);
	local_irq_restore(flags);
	return kind;
}

/* The frames of a leaf from the pinned page on, as one run with one pin. */
static bool is_leaf_of(const struct leaf *leaf, unsigned long vaddr,
		       struct page *page)
{
	const unsigned long size = PAGE_SIZE << leaf->order;

	return leaf->is_ours &&
	       leaf->pfn + ((vaddr & (size - 1)) >> PAGE_SHIFT) ==
			page_to_pfn(page) &&
	       IS_ALIGNED(leaf->pfn, 1UL << leaf->order) &&
	       folio_order(page_folio(page)) >= leaf->order;
}

/* Where IOVA and address do not agree within all of a leaf, the part in which they do. */
static void clip_leaf(const struct type1_pinner *pinner, struct leaf *leaf,
		      struct page *page)
{
	if (!(pinner->skew & ((PAGE_SIZE << leaf->order) - 1)))
		return;
	leaf->order = PMD_SHIFT - PAGE_SHIFT;
	leaf->pfn = ALIGN_DOWN(page_to_pfn(page), 1UL << leaf->order);
}

/*
 * Pin a whole leaf by one of its pages, instead of each. Returns pages in
 * @pinner->run, all of the leaf or one; 0 where pinning page by page is the
 * way; or an errno of pinning.
 *
 * Why one pin does. When we look, the page is pinned already and the leaf maps
 * it, so the leaf's frames belong to one folio, which cannot go while any pin of
 * it is left: it is neither split nor collapsed nor migrated nor reclaimed. What
 * the process sees there stays the same memory as well, as far as for pins of
 * all pages: a fork copies pinned anonymous memory for the child, and whether
 * anonymous memory is exclusive to the process is one mark for all of a leaf, which
 * pinning the page has made sure of.
 *
 * The IOMMU has leaves as large only where IOVA and address agree within one; and
 * only then a bound of a stretch cuts no block in two. What does not agree
 * gains little.
 */
static long pin_leaf(struct type1_pinner *pinner)
{
	const unsigned long vaddr = pinner->vaddr;
	struct leaf leaf;
	unsigned long n;
	struct page *page;
	long ret;

	if (pinner->left < LEAF_WORTH_PAGES || pinner->mm != current->mm)
		return 0;
	if (pinner->skew & (PMD_SIZE - 1) || vaddr < pinner->small_until)
		return 0;
	if (look_at_leaf(vaddr, pinner->is_write, &leaf) == LEAF_SMALL)
		return 0;

	ret = type1_pin_pages(pinner->mm, vaddr, 1, pinner->is_write, &page);
	if (ret <= 0)
		return ret ?: -EFAULT;

	n = 1;
	pinner->run.kind = EXTENT_PAGES;
	if (look_at_leaf(vaddr, pinner->is_write, &leaf) == LEAF_LARGE &&
	    is_leaf_of(&leaf, vaddr, page)) {
		clip_leaf(pinner, &leaf, page);
		n = (1UL << leaf.order) - (page_to_pfn(page) - leaf.pfn);
		n = min(n, pinner->left);
		pinner->run.kind = leaf.order;
	} else {
		/* Whatever it is, it is not looked at for each of its pages. */
		pinner->small_until = ALIGN(vaddr + 1, PMD_SIZE);
	}
	pinner->run.pfn = page_to_pfn(page);
	pinner->run.npages = n;
	return n;
}
#else
static long pin_leaf(struct type1_pinner *pinner)
{
	return 0;
}
#endif

/* Pages to the end of the leaf that may begin behind these. */
static unsigned long batch_pages(const struct type1_pinner *pinner)
{
	unsigned long room = (PMD_SIZE - (pinner->vaddr & ~PMD_MASK)) >>
			     PAGE_SHIFT;

	return min3(pinner->left, room, (unsigned long)pinner->capacity);
}

/*
 * Pin the next batch of memory: a leaf, or page by page as much as there is
 * room for. Returns pages, or an errno of pinning.
 */
static long pin_memory(struct type1_pinner *pinner)
{
	long ret = pin_leaf(pinner);

	if (ret)
		return ret;

	ret = type1_pin_pages(pinner->mm, pinner->vaddr, batch_pages(pinner),
			      pinner->is_write, pinner->pages);
	if (ret > 0)
		pinner->nr = ret;
	return ret;
}

/*
 * Are these frames ones that no page allocator will ever hand out? A raw frame
 * is not pinned, so ordinary memory must not get in this way.
 */
static bool are_reserved(unsigned long pfn, unsigned long npages)
{
	const unsigned long end = pfn + npages;

	while (pfn < end) {
		if (pfn_valid(pfn)) {
			if (!PageReserved(pfn_to_page(pfn)))
				return false;
			pfn++;
			continue;
		}
#ifdef PAGES_PER_SUBSECTION
		/* No memory map here, so none up to the next bound. */
		pfn = ALIGN(pfn + 1, PAGES_PER_SUBSECTION);
#else
		pfn++;
#endif
	}
	return true;
}

/* How far does the page table leaf reach that was followed? */
static unsigned long leaf_pages(const struct follow_pfnmap_args *args)
{
	/*
	 * This kernel does not tell a leaf's size. But a leaf above the last
	 * level has no pte, and then it covers at least a whole PMD.
	 */
	if (args->ptep)
		return 1;
	return (PMD_SIZE - (args->address & ~PMD_MASK)) >> PAGE_SHIFT;
}

/*
 * One leaf of device memory: fills @run and returns 0, or -ENOENT where
 * nothing is mapped there with the access that is needed.
 */
static int follow_leaf(struct vm_area_struct *vma, unsigned long vaddr,
		       bool is_write, struct type1_run *run)
{
	struct follow_pfnmap_args args = { .vma = vma, .address = vaddr };
	int ret = -ENOENT;

	if (follow_pfnmap_start(&args))
		return ret;

	if (!is_write || args.writable) {
		run->pfn = args.pfn;
		run->npages = min(leaf_pages(&args),
				  (vma->vm_end - vaddr) >> PAGE_SHIFT);
		run->kind = EXTENT_DEVICE;
		ret = 0;
	}
	follow_pfnmap_end(&args);
	return ret;
}

/*
 * Like follow_leaf(), but asks for the page to be mapped where it is not. @run
 * has no pages where the address is not one of device memory at all.
 */
static int fault_leaf(struct mm_struct *mm, unsigned long vaddr, bool is_write,
		      struct type1_run *run)
{
	const vm_flags_t need = is_write ? VM_WRITE : VM_READ;
	unsigned int faults;
	int ret;

	mmap_assert_locked(mm);

	for (faults = 0; faults < MAX_FAULTS; faults++) {
		/* A fault may drop the lock: begin with the VMA each time. */
		struct vm_area_struct *vma = vma_lookup(mm, vaddr);
		bool unlocked = false;

		run->npages = 0;
		if (!vma)
			return -EFAULT;
		if (!(vma->vm_flags & VM_PFNMAP))
			return 0;
		if (!(vma->vm_flags & need))
			return -EFAULT;

		ret = follow_leaf(vma, vaddr, is_write, run);
		if (ret != -ENOENT)
			return ret;

		ret = fixup_user_fault(mm, vaddr, FAULT_FLAG_REMOTE |
				       (is_write ? FAULT_FLAG_WRITE : 0),
				       &unlocked);
		if (ret)
			return ret;
	}
	return -EFAULT;
}

/*
 * A run of device memory, as far as it is contiguous, at most up to a stretch.
 * @pinner->run has no pages where there is none; that is no failure.
 */
static int follow_device(struct type1_pinner *pinner, enum type1_rule *why)
{
	const unsigned long most = min(pinner->left, TYPE1_STRETCH_PAGES);
	struct type1_run *run = &pinner->run;
	struct mm_struct *mm = pinner->mm;
	struct type1_run leaf = {};
	unsigned long vaddr;
	int ret;

	ret = mmap_read_lock_killable(mm);
	if (ret)
		return ret;

	vaddr = untagged_addr_remote(mm, pinner->vaddr);
	while (run->npages < most) {
		ret = fault_leaf(mm, vaddr + (run->npages << PAGE_SHIFT),
				 pinner->is_write, &leaf);
		if (ret || !leaf.npages)
			break;
		if (run->npages && run->pfn + run->npages != leaf.pfn)
			break;

		leaf.npages = min(leaf.npages, most - run->npages);
		if (!are_reserved(leaf.pfn, leaf.npages)) {
			*why = TYPE1_RULE_NOT_RESERVED;
			ret = -EINVAL;
			break;
		}

		if (!run->npages)
			*run = leaf;
		else
			run->npages += leaf.npages;

		if (need_resched() || fatal_signal_pending(current))
			break;
	}
	mmap_read_unlock(mm);

	/* What stopped us stops the next batch too. */
	return run->npages ? 0 : ret;
}

static void advance(struct type1_pinner *pinner, unsigned long npages)
{
	pinner->vaddr += npages << PAGE_SHIFT;
	pinner->left -= npages;
}

/**
 * type1_pinner_fetch() - Pin the next batch
 * @pinner: the walk; the batch before was taken altogether
 * @why: the rule that refused, written on failure
 *
 * Context: Process context, may sleep, with no lock that a page fault needs.
 * Return: 0; -EFAULT for memory that is not there or not accessible that way,
 * -EINVAL for raw frames of ordinary memory, -EINTR when being killed, or what
 * else pinning gave.
 */
int type1_pinner_fetch(struct type1_pinner *pinner, enum type1_rule *why)
{
	long ret;

	pinner->nr = 0;
	pinner->pos = 0;
	pinner->run.npages = 0;
	*why = TYPE1_RULE_USER_MEMORY;

	if (!pinner->is_device) {
		ret = pin_memory(pinner);
		if (ret > 0) {
			advance(pinner, ret);
			return 0;
		}
		/* Pinning refuses device memory, and so with this errno. */
		if (ret != -EFAULT)
			return ret ?: -EFAULT;
	}

	ret = follow_device(pinner, why);
	if (ret)
		return ret;

	if (!pinner->run.npages) {
		if (!pinner->is_device)
			return -EFAULT;
		/* The device's memory ended here. */
		pinner->is_device = false;
		return 0;
	}

	pinner->is_device = true;
	advance(pinner, pinner->run.npages);
	return 0;
}

/**
 * type1_pinner_counted() - Pages of a batch, that are to be charged
 * @pinner: the walk; nothing of the batch was taken
 *
 * Context: Any.
 * Return: their number.
 */
unsigned long type1_pinner_counted(const struct type1_pinner *pinner)
{
	if (pinner->run.npages && extent_is_counted(pinner->run.kind))
		return pinner->run.npages;
	return pinner->nr;
}

/**
 * type1_pinner_next() - Take the next run of a batch
 * @pinner: the walk
 * @run: filled; the caller owns the pins
 *
 * Context: Any.
 * Return: false when the batch is used up.
 */
bool type1_pinner_next(struct type1_pinner *pinner, struct type1_run *run)
{
	struct page *first;
	unsigned int n, left;

	if (pinner->run.npages) {
		*run = pinner->run;
		pinner->run.npages = 0;
		return true;
	}

	left = pinner->nr - pinner->pos;
	if (!left)
		return false;

	first = pinner->pages[pinner->pos];
	for (n = 1; n < left; n++)
		if (pinner->pages[pinner->pos + n] != nth_page(first, n))
			break;

	*run = (struct type1_run){
		.pfn = page_to_pfn(first),
		.npages = n,
		.kind = EXTENT_PAGES,
	};
	pinner->pos += n;
	return true;
}

/**
 * type1_unpin_run() - Let go of a run
 * @run: the run
 * @is_dirty: devices may have written it
 *
 * Context: Process context, may sleep.
 */
void type1_unpin_run(const struct type1_run *run, bool is_dirty)
{
	unsigned long pfn = run->pfn, left = run->npages;

	if (run->kind == EXTENT_DEVICE)
		return;

	while (left) {
		unsigned long n, pins;

		if (run->kind == EXTENT_PAGES) {
			n = min(left, UNPIN_PAGES);
			pins = n;
		} else {
			/* One pin for the block, whatever part of it is ours. */
			n = min(left, ALIGN(pfn + 1, 1UL << run->kind) - pfn);
			pins = 1;
		}
		unpin_user_page_range_dirty_lock(pfn_to_page(pfn), pins,
						 is_dirty);
		pfn += n;
		left -= n;
		cond_resched();
	}
}
