// SPDX-License-Identifier: GPL-2.0-only
/*
 * Entering runs of frames into an IOMMU domain, and removing them.
 *
 * Unmapping must never cut an IOMMU leaf in two. Every entry is made within one
 * stretch, so a bound of a stretch is a safe place to stop; so is where a run
 * began or ended.
 */
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/sched.h>

#include "type1.h"

/* Pages from an IOVA to the next bound of a stretch, or to what is left. */
static unsigned long stretch_pages(unsigned long iova, unsigned long left)
{
	unsigned long into = iova & (TYPE1_STRETCH_BYTES - 1);

	return min(left, (TYPE1_STRETCH_BYTES - into) >> PAGE_SHIFT);
}

/**
 * type1_sweep_begin() - Begin to remove entries that are flushed together
 * @sweep: the sweep
 * @domain: the domain
 * @is_scattered: there are many pieces with gaps in between, so that the whole
 *	domain is better flushed at once than each of them
 *
 * Context: Any. Pairs with type1_sweep_end().
 */
void type1_sweep_begin(struct type1_sweep *sweep, struct iommu_domain *domain,
		       bool is_scattered)
{
	sweep->domain = domain;
	sweep->is_scattered = is_scattered;
	sweep->first = ULONG_MAX;
	sweep->last = 0;
	iommu_iotlb_gather_init(&sweep->gather);
	/* Then the driver flushes nothing of its own accord. */
	sweep->gather.queued = is_scattered && domain->ops->flush_iotlb_all;
}

/**
 * type1_sweep_pages() - Remove pages from a domain, to be flushed later
 * @sweep: the sweep
 * @iova: first address; no entry begins before and reaches over it
 * @npages: how many, all of them entered; no entry reaches over their end
 *
 * Context: Process context, may sleep.
 * Return: true. False where the IOMMU driver removed less; then devices may
 * still reach them after the sweep.
 */
bool type1_sweep_pages(struct type1_sweep *sweep, unsigned long iova,
		       unsigned long npages)
{
	const unsigned long begin = iova, count = npages;

	while (npages) {
		const unsigned long n = stretch_pages(iova, npages);
		const size_t bytes = n << PAGE_SHIFT;

		sweep->first = min(sweep->first, iova);
		sweep->last = max(sweep->last, iova + bytes - 1);
		if (WARN_ON_ONCE(iommu_unmap_fast(sweep->domain, iova, bytes,
						  &sweep->gather) != bytes))
			return false;
		iova += bytes;
		npages -= n;
		cond_resched();
	}
	type1_verify_gone(sweep->domain, begin, count);
	return true;
}

/**
 * type1_sweep_end() - Flush what was removed
 * @sweep: the sweep; over
 *
 * Context: Process context. No device reaches afterwards what
 * type1_sweep_pages() was true for.
 */
void type1_sweep_end(struct type1_sweep *sweep)
{
	struct iommu_iotlb_gather *gather = &sweep->gather;

	if (sweep->first > sweep->last)
		return;

	if (gather->queued) {
		iommu_flush_iotlb_all(sweep->domain);
		gather->queued = false;
		if (list_empty(&gather->freelist))
			return;
		/* Drivers that keep page tables until now free them by a sync. */
		iommu_iotlb_gather_add_range(gather, sweep->first,
					     sweep->last - sweep->first + 1);
	}
	iommu_iotlb_sync(sweep->domain, gather);
}

/**
 * type1_domain_unmap() - Remove pages from a domain, and flush
 * @domain: the domain
 * @iova: first address; no entry begins before and reaches over it
 * @npages: how many, all of them entered; no entry reaches over their end
 *
 * Context: Process context, may sleep. No device reaches the pages afterwards.
 * Return: true. False where the IOMMU driver removed less; then devices may
 * still reach them.
 */
bool type1_domain_unmap(struct iommu_domain *domain, unsigned long iova,
			unsigned long npages)
{
	struct type1_sweep sweep;
	bool is_done;

	type1_sweep_begin(&sweep, domain, false);
	is_done = type1_sweep_pages(&sweep, iova, npages);
	type1_sweep_end(&sweep);
	return is_done;
}

/**
 * type1_domain_map() - Enter a run into a domain
 * @domain: the domain
 * @iova: where
 * @run: the run
 * @prot: IOMMU_READ, IOMMU_WRITE or both
 *
 * Context: Process context, may sleep.
 * Return: 0, or what the IOMMU driver gave, with nothing entered.
 */
int type1_domain_map(struct iommu_domain *domain, unsigned long iova,
		     const struct type1_run *run, int prot)
{
	const bool is_small = type1_huge_pages_disabled();
	unsigned long done = 0;

	while (done < run->npages) {
		const unsigned long at = iova + (done << PAGE_SHIFT);
		const unsigned long left = run->npages - done;
		const unsigned long n = is_small ? 1 : stretch_pages(at, left);
		int ret;

		ret = iommu_map(domain, at, PFN_PHYS(run->pfn + done),
				n << PAGE_SHIFT, prot | IOMMU_CACHE,
				GFP_KERNEL_ACCOUNT);
		if (ret) {
			type1_domain_unmap(domain, iova, done);
			return ret;
		}
		done += n;
		cond_resched();
	}
	type1_verify_run(domain, iova, run);
	return 0;
}

/**
 * type1_domain_map_list() - Enter runs that follow each other into a domain
 * @domain: the domain
 * @iova: where the first goes; none reaches over a bound of a stretch
 * @list: the runs, of pages each pinned by itself
 * @nr: how many, few enough to be entered in one go
 * @prot: IOMMU_READ, IOMMU_WRITE or both
 *
 * The driver gets ready for the new entries once, not for each.
 *
 * Context: Process context, may sleep.
 * Return: 0, or what the IOMMU driver gave, with nothing entered.
 */
int type1_domain_map_list(struct iommu_domain *domain, unsigned long iova,
			  struct scatterlist *list, unsigned int nr, int prot)
{
	struct scatterlist *sg;
	unsigned int i;
	ssize_t ret;

	ret = iommu_map_sg(domain, iova, list, nr, prot | IOMMU_CACHE,
			   GFP_KERNEL_ACCOUNT);
	if (ret < 0)
		return ret;

	for_each_sg(list, sg, nr, i) {
		const struct type1_run run = type1_listed_run(sg);

		type1_verify_run(domain, iova, &run);
		iova += sg->length;
	}
	return 0;
}
