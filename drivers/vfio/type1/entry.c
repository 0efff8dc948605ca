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
#include <linux/sched.h>

#include "type1.h"

/* Pages from an IOVA to the next bound of a stretch, or to what is left. */
static unsigned long stretch_pages(unsigned long iova, unsigned long left)
{
	unsigned long into = iova & (TYPE1_STRETCH_BYTES - 1);

	return min(left, (TYPE1_STRETCH_BYTES - into) >> PAGE_SHIFT);
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
	const unsigned long first = iova, count = npages;
	struct iommu_iotlb_gather gather;
	bool is_done = true;

	if (!npages)
		return true;

	iommu_iotlb_gather_init(&gather);
	while (npages) {
		const unsigned long n = stretch_pages(iova, npages);
		const size_t bytes = n << PAGE_SHIFT;

		if (WARN_ON_ONCE(iommu_unmap_fast(domain, iova, bytes,
						  &gather) != bytes)) {
			is_done = false;
			break;
		}
		iova += bytes;
		npages -= n;
		cond_resched();
	}
	iommu_iotlb_sync(domain, &gather);
	if (is_done)
		type1_verify_gone(domain, first, count);
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
