// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a filled mapping holds, as its log tells: entering it into one more
 * domain, taking it out of all, and letting go of its pages.
 *
 * Only opaque stretches (see extent.c) are read back from a domain, a few windows
 * at a time, before those go. Nothing here allocates memory or can fail, but for
 * entering.
 */
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "type1.h"

/* Read the frames of a part of an opaque extent. */
static unsigned long read_back(struct iommu_domain *domain,
			       const struct type1_mapping *mapping,
			       unsigned long index, unsigned long npages,
			       struct page **pages)
{
	unsigned long i, found = 0;

	for (i = 0; i < npages; i++) {
		phys_addr_t phys =
			iommu_iova_to_phys(domain,
					   type1_page_iova(mapping, index + i));

		if (!WARN_ON_ONCE(!phys))
			pages[found++] = pfn_to_page(PHYS_PFN(phys));
	}
	return found;
}

/* A walk over an opaque extent, by pieces of whole windows, reading it back. */
struct opaque_walk {
	const struct type1_mapping *mapping;
	struct iommu_domain *domain;
	struct page **pages;
	unsigned long next;	/* page behind this piece */
	unsigned long end;	/* page behind the extent */
	unsigned long index;	/* of this piece's first page */
	unsigned long npages;	/* in this piece */
	unsigned long found;	/* of them, read into @pages */
};

static struct opaque_walk opaque_walk_init(struct type1 *iommu,
					   const struct type1_mapping *mapping,
					   struct iommu_domain *domain,
					   const struct extent *extent)
{
	lockdep_assert_held(&iommu->lock);

	return (struct opaque_walk){
		.mapping = mapping,
		.domain = domain,
		.pages = iommu->scratch,
		.next = extent->index,
		.end = extent->index + extent->npages,
	};
}

static bool opaque_walk_next(struct opaque_walk *walk)
{
	unsigned long room;

	if (walk->next == walk->end)
		return false;

	cond_resched();
	walk->index = walk->next;
	/* To the end of a window in any case: no leaf reaches over it. */
	room = extent_window_room(type1_page_iova(walk->mapping, walk->next)) +
	       TYPE1_SCRATCH_PAGES - EXTENT_WINDOW_PAGES;
	walk->npages = min(walk->end - walk->next, room);
	walk->next += walk->npages;
	walk->found = read_back(walk->domain, walk->mapping, walk->index,
				walk->npages, walk->pages);
	return true;
}

static struct type1_domain *first_domain(struct type1 *iommu)
{
	lockdep_assert_held(&iommu->lock);

	return list_first_entry(&iommu->domains, struct type1_domain, next);
}

static struct type1_run extent_run(const struct extent *extent)
{
	return (struct type1_run){
		.pfn = extent->pfn,
		.npages = extent->npages,
		.kind = extent->kind,
	};
}

static int replay_opaque(struct opaque_walk *walk, struct iommu_domain *to)
{
	const struct type1_mapping *mapping = walk->mapping;
	unsigned long i, n;
	int ret;

	while (opaque_walk_next(walk)) {
		if (walk->found != walk->npages)
			return -EIO;

		for (i = 0; i < walk->found; i += n) {
			struct page *first = walk->pages[i];
			struct type1_run run = { .pfn = page_to_pfn(first) };

			for (n = 1; i + n < walk->found; n++)
				if (walk->pages[i + n] != nth_page(first, n))
					break;
			run.npages = n;
			ret = type1_domain_map(to, type1_page_iova(mapping,
								   walk->index + i),
					       &run, mapping->prot);
			if (ret)
				return ret;
		}
		if (fatal_signal_pending(current))
			return -EINTR;
	}
	return 0;
}

/**
 * type1_replay() - Enter what a mapping holds into one more domain
 * @iommu: its address space, with domains
 * @mapping: the mapping, busy or not
 * @to: a domain that is not in use yet; on failure it is to be thrown away with
 *	what was entered
 * @why: the rule that refused, written on failure
 *
 * Context: Process context, @iommu->lock held, may sleep.
 * Return: 0, -EINTR when being killed, or what the IOMMU driver gave.
 */
int type1_replay(struct type1 *iommu, struct type1_mapping *mapping,
		 struct iommu_domain *to, enum type1_rule *why)
{
	struct extent_iter iter;
	int ret = 0;

	lockdep_assert_held(&iommu->lock);

	extent_iter_init(&iter, &mapping->log);
	while (!ret && extent_iter_next(&iter)) {
		*why = TYPE1_RULE_SIGNAL;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();

		*why = TYPE1_RULE_IOMMU;
		if (iter.now.kind == EXTENT_OPAQUE) {
			struct opaque_walk walk =
				opaque_walk_init(iommu, mapping,
						 first_domain(iommu)->domain,
						 &iter.now);

			ret = replay_opaque(&walk, to);
		} else {
			struct type1_run run = extent_run(&iter.now);

			ret = type1_domain_map(to, type1_page_iova(mapping,
								   iter.now.index),
					       &run, mapping->prot);
		}
	}
	if (!ret)
		type1_verify_in(to, mapping);
	return ret;
}

/* Remove pages of a mapping from one domain, and remember if that failed. */
static void sweep_pages(struct type1_mapping *mapping,
			struct type1_domain *domain, unsigned long index,
			unsigned long end)
{
	if (!type1_sweep_pages(&domain->sweep, type1_page_iova(mapping, index),
			       end - index))
		mapping->is_stuck = true;
}

/**
 * type1_sweep_all_begin() - Begin to take mappings out of all domains
 * @iommu: the address space
 * @is_scattered: there are many, so that one flush of all is the better
 *
 * Context: Process context, @iommu->lock held until type1_sweep_all_end().
 */
void type1_sweep_all_begin(struct type1 *iommu, bool is_scattered)
{
	struct type1_domain *domain;

	lockdep_assert_held(&iommu->lock);

	list_for_each_entry(domain, &iommu->domains, next)
		type1_sweep_begin(&domain->sweep, domain->domain, is_scattered);
}

/**
 * type1_sweep_all_end() - Flush, so that nothing of the mappings is reached
 * @iommu: the address space
 *
 * Context: Process context, @iommu->lock held.
 */
void type1_sweep_all_end(struct type1 *iommu)
{
	struct type1_domain *domain;

	lockdep_assert_held(&iommu->lock);

	list_for_each_entry(domain, &iommu->domains, next)
		type1_sweep_end(&domain->sweep);
}

static void unpin_piece(struct opaque_walk *walk)
{
	if (!walk->mapping->is_stuck)
		unpin_user_pages_dirty_lock(walk->pages, walk->found,
					    walk->mapping->prot & IOMMU_WRITE);
}

/* Take an opaque extent out of the domain that alone still has it. */
static void take_out_opaque(struct type1 *iommu, struct type1_mapping *mapping,
			    struct iommu_domain *reader,
			    const struct extent *extent)
{
	struct opaque_walk walk = opaque_walk_init(iommu, mapping, reader,
						   extent);

	while (opaque_walk_next(&walk)) {
		if (!type1_domain_unmap(reader,
					type1_page_iova(mapping, walk.index),
					walk.npages))
			mapping->is_stuck = true;
		unpin_piece(&walk);
	}
}

static void take_out_opaques(struct type1 *iommu, struct type1_mapping *mapping)
{
	struct type1_domain *reader = first_domain(iommu);
	struct type1_domain *domain;
	struct extent_iter iter;
	unsigned long from = 0;

	list_for_each_entry(domain, &iommu->domains, next) {
		if (domain == reader)
			continue;
		sweep_pages(mapping, domain, 0, extent_log_pages(&mapping->log));
		type1_sweep_end(&domain->sweep);
		type1_sweep_begin(&domain->sweep, domain->domain,
				  domain->sweep.is_scattered);
	}

	extent_iter_init(&iter, &mapping->log);
	while (extent_iter_next(&iter)) {
		if (iter.now.kind != EXTENT_OPAQUE)
			continue;

		sweep_pages(mapping, reader, from, iter.now.index);
		take_out_opaque(iommu, mapping, reader->domain, &iter.now);
		from = iter.now.index + iter.now.npages;
	}
	sweep_pages(mapping, reader, from, extent_log_pages(&mapping->log));
}

/**
 * type1_take_out() - Take a mapping out of all domains
 * @iommu: its address space
 * @mapping: the mapping
 *
 * What was logged as a run stays pinned, for type1_let_go() after the sweep and
 * outside the lock. Opaque stretches are read back from one domain, unmapped and
 * unpinned here, piece by piece; all other domains are flushed by then.
 *
 * Context: Process context, @iommu->lock held, may sleep, within a sweep of all
 * domains. Signals do not stop it.
 */
void type1_take_out(struct type1 *iommu, struct type1_mapping *mapping)
{
	struct type1_domain *domain;

	lockdep_assert_held(&iommu->lock);

	if (!extent_log_pages(&mapping->log))
		return;
	type1_verify(iommu, mapping);

	if (mapping->log.has_opaque) {
		take_out_opaques(iommu, mapping);
		return;
	}
	list_for_each_entry(domain, &iommu->domains, next)
		sweep_pages(mapping, domain, 0, extent_log_pages(&mapping->log));
}

/* Unpin one extent that was logged as a run. */
static void unpin_extent(const struct type1_mapping *mapping,
			 const struct extent *extent)
{
	struct type1_run run = extent_run(extent);

	if (!mapping->is_stuck)
		type1_unpin_run(&run, mapping->prot & IOMMU_WRITE);
}

static void forget(struct type1_mapping *mapping, struct type1_refund *refund)
{
	type1_refund_add(refund, mapping->payer,
			 extent_log_counted(&mapping->log));
	extent_log_clear(&mapping->log);
}

/**
 * type1_let_go() - Unpin what type1_take_out() left, and give back the charge
 * @mapping: a mapping that is out of the tree
 * @refund: where to note the charge
 *
 * Context: Process context, may sleep. No lock held.
 */
void type1_let_go(struct type1_mapping *mapping, struct type1_refund *refund)
{
	struct extent_iter iter;

	extent_iter_init(&iter, &mapping->log);
	while (extent_iter_next(&iter))
		if (iter.now.kind != EXTENT_OPAQUE)
			unpin_extent(mapping, &iter.now);

	forget(mapping, refund);
}

/**
 * type1_empty() - Unpin a mapping that stays, when the last domain leaves
 * @iommu: its address space
 * @mapping: the mapping, busy or not
 * @from: the domain, which no device reaches any more. Its entries stay, to be
 *	freed with it.
 * @refund: where to note the charge
 *
 * Context: Process context, @iommu->lock held, may sleep. Signals do not stop
 * it.
 */
void type1_empty(struct type1 *iommu, struct type1_mapping *mapping,
		 struct iommu_domain *from, struct type1_refund *refund)
{
	struct extent_iter iter;

	lockdep_assert_held(&iommu->lock);

	type1_verify_in(from, mapping);
	extent_iter_init(&iter, &mapping->log);
	while (extent_iter_next(&iter)) {
		struct opaque_walk walk;

		cond_resched();
		if (iter.now.kind != EXTENT_OPAQUE) {
			unpin_extent(mapping, &iter.now);
			continue;
		}

		walk = opaque_walk_init(iommu, mapping, from, &iter.now);
		while (opaque_walk_next(&walk))
			unpin_piece(&walk);
	}

	forget(mapping, refund);
}
