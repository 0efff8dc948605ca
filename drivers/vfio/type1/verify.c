// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checks what the extent log says against what the IOMMU does, on debug kernels.
 *
 * The log alone tells which pages are unpinned; an error there is a device that
 * writes to memory of others. So wherever the two were just brought into line, and
 * before a log is used to take a mapping apart, each frame is looked up in every
 * domain. Long runs are looked at where leaves may begin and end.
 */
#include <linux/bug.h>
#include <linux/iommu.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sched.h>

#include "type1.h"

/* Longer runs than this are not looked at page by page. */
#define EVERY_PAGES	4096UL

/* The page to look at after @i, out of @npages. */
static unsigned long next_page(unsigned long i, unsigned long npages)
{
	if (npages <= EVERY_PAGES || i + 1 == npages)
		return i + 1;
	/* The first and the last page of each block of 2 MiB from the start. */
	if (i % EXTENT_WINDOW_PAGES == 0)
		return min(i + EXTENT_WINDOW_PAGES, npages) - 1;
	return i + 1;
}

/**
 * type1_verify_run() - Is a run where it should be?
 * @domain: the domain
 * @iova: where the run was entered
 * @run: the run; an opaque one need only be there
 *
 * Context: Process context, &type1.lock held, may sleep.
 */
void type1_verify_run(struct iommu_domain *domain, unsigned long iova,
		      const struct type1_run *run)
{
	unsigned long i;

	for (i = 0; i < run->npages; i = next_page(i, run->npages)) {
		const phys_addr_t phys =
			iommu_iova_to_phys(domain, iova + (i << PAGE_SHIFT));

		if (run->kind == EXTENT_OPAQUE)
			WARN_ON_ONCE(!phys);
		else
			WARN_ON_ONCE(phys != PFN_PHYS(run->pfn + i));
		cond_resched();
	}
}

/**
 * type1_verify_gone() - Is nothing left?
 * @domain: the domain
 * @iova: first address
 * @npages: how many pages were unmapped
 *
 * Context: Process context, may sleep.
 */
void type1_verify_gone(struct iommu_domain *domain, unsigned long iova,
		       unsigned long npages)
{
	unsigned long i;

	for (i = 0; i < npages; i = next_page(i, npages)) {
		WARN_ON_ONCE(iommu_iova_to_phys(domain,
						iova + (i << PAGE_SHIFT)));
		cond_resched();
	}
}

/**
 * type1_verify_in() - Does a domain have all that a mapping's log has?
 * @domain: the domain
 * @mapping: the mapping
 *
 * Context: Process context, &type1.lock held, may sleep.
 */
void type1_verify_in(struct iommu_domain *domain,
		     const struct type1_mapping *mapping)
{
	struct extent_iter iter;
	unsigned long pages = 0;

	extent_iter_init(&iter, &mapping->log);
	while (extent_iter_next(&iter)) {
		const struct type1_run run = {
			.pfn = iter.now.pfn,
			.npages = iter.now.npages,
			.kind = iter.now.kind,
		};

		WARN_ON_ONCE(iter.now.index != pages);
		pages += iter.now.npages;
		type1_verify_run(domain,
				 type1_page_iova(mapping, iter.now.index), &run);
	}
	WARN_ON_ONCE(pages != extent_log_pages(&mapping->log));
}

/**
 * type1_verify() - Does every domain have all that a mapping's log has?
 * @iommu: the address space
 * @mapping: the mapping, busy or not
 *
 * Context: Process context, @iommu->lock held, may sleep.
 */
void type1_verify(struct type1 *iommu, const struct type1_mapping *mapping)
{
	struct type1_domain *domain;

	lockdep_assert_held(&iommu->lock);

	list_for_each_entry(domain, &iommu->domains, next)
		type1_verify_in(domain->domain, mapping);
}
