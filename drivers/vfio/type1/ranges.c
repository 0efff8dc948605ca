// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where mappings may lie and in what units: what the apertures of all domains have
 * in common, without what their groups reserve.
 */
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "trace.h"
#include "type1.h"

static void clip_to_aperture(struct iova_ranges *ranges,
			     const struct iommu_domain *domain)
{
	const struct iommu_domain_geometry *aperture = &domain->geometry;
	struct iova_span span;

	/* A driver that names no aperture has no bounds to keep. */
	if (!aperture->aperture_end)
		return;

	span.first = aperture->aperture_start;
	span.last = min_t(u64, aperture->aperture_end, ULONG_MAX);
	iova_ranges_clip(ranges, span);
}

static int exclude_region(struct iova_ranges *ranges,
			  const struct iommu_resv_region *region)
{
	const u64 first = region->start;
	struct iova_span hole;
	u64 last;

	/* These are 1:1 for the firmware's sake, until a user takes over. */
	if (region->type == IOMMU_RESV_DIRECT_RELAXABLE)
		return 0;
	if (!region->length || first > ULONG_MAX)
		return 0;

	if (check_add_overflow(first, (u64)region->length - 1, &last))
		last = U64_MAX;

	hole.first = first;
	hole.last = min_t(u64, last, ULONG_MAX);
	return iova_ranges_exclude(ranges, hole);
}

/**
 * type1_regions_free() - Free what iommu_get_group_resv_regions() gave
 * @regions: list of &iommu_resv_region.list
 *
 * Context: Any.
 */
void type1_regions_free(struct list_head *regions)
{
	struct iommu_resv_region *region, *next;

	list_for_each_entry_safe(region, next, regions, list)
		kfree(region);
}

static int exclude_reserved(struct iova_ranges *ranges,
			    struct iommu_group *group)
{
	struct iommu_resv_region *region;
	LIST_HEAD(regions);
	int ret;

	ret = iommu_get_group_resv_regions(group, &regions);
	list_for_each_entry(region, &regions, list) {
		if (ret)
			break;
		ret = exclude_region(ranges, region);
	}
	type1_regions_free(&regions);
	return ret;
}

/**
 * type1_ranges_compute() - The ranges that all domains and groups allow
 * @iommu: the address space
 * @ranges: what to fill; the caller destroys it, or gives it to
 *	type1_ranges_replace()
 *
 * Context: Process context, @iommu->lock held, may sleep.
 * Return: 0, or -ENOMEM or what else the reserved regions of a group gave.
 */
int type1_ranges_compute(struct type1 *iommu, struct iova_ranges *ranges)
{
	struct type1_domain *domain;
	struct type1_group *group;
	int ret;

	lockdep_assert_held(&iommu->lock);

	ret = iova_ranges_init(ranges);
	if (ret)
		return ret;

	list_for_each_entry(domain, &iommu->domains, next) {
		clip_to_aperture(ranges, domain->domain);
		list_for_each_entry(group, &domain->groups, next) {
			ret = exclude_reserved(ranges, group->group);
			if (ret)
				goto out_destroy;
		}
	}
	return 0;

out_destroy:
	iova_ranges_destroy(ranges);
	return ret;
}

/**
 * type1_ranges_narrow() - Take a domain and a group that come in into account
 * @ranges: the ranges
 * @domain: the domain
 * @group: the group
 *
 * Context: Process context, may sleep.
 * Return: as type1_ranges_compute(), with @ranges somewhere between.
 */
int type1_ranges_narrow(struct iova_ranges *ranges,
			const struct iommu_domain *domain,
			struct iommu_group *group)
{
	clip_to_aperture(ranges, domain);
	return exclude_reserved(ranges, group);
}

/**
 * type1_ranges_replace() - From now on, mappings lie within these
 * @iommu: the address space
 * @ranges: the ranges; taken over
 *
 * Context: Process context, @iommu->lock held.
 */
void type1_ranges_replace(struct type1 *iommu, struct iova_ranges *ranges)
{
	lockdep_assert_held(&iommu->lock);

	swap(iommu->ranges, *ranges);
	iova_ranges_destroy(ranges);
}

/**
 * type1_ranges_hold_all() - Does every mapping lie within these?
 * @iommu: the address space
 * @ranges: the ranges
 *
 * Context: Process context, @iommu->lock held.
 * Return: true when all do.
 */
bool type1_ranges_hold_all(struct type1 *iommu, const struct iova_ranges *ranges)
{
	struct type1_mapping *mapping;

	lockdep_assert_held(&iommu->lock);

	for (mapping = type1_mapping_first(iommu); mapping;
	     mapping = type1_mapping_next(mapping))
		if (!iova_ranges_contain(ranges, mapping->span))
			return false;
	return true;
}

static void explain_aperture(const struct iommu_domain *domain,
			     struct iova_span span)
{
	const struct iommu_domain_geometry *aperture = &domain->geometry;

	if (aperture->aperture_end &&
	    (span.first < aperture->aperture_start ||
	     span.last > aperture->aperture_end))
		trace_vfio_range(span.first, span.last, TYPE1_RANGE_APERTURE,
				 aperture->aperture_start,
				 aperture->aperture_end);
}

static void explain_regions(struct iommu_group *group, struct iova_span span)
{
	struct iommu_resv_region *region;
	LIST_HEAD(regions);

	if (iommu_get_group_resv_regions(group, &regions))
		goto out_free;

	list_for_each_entry(region, &regions, list) {
		const u64 first = region->start;
		const u64 last = first + region->length - 1;

		if (region->type != IOMMU_RESV_DIRECT_RELAXABLE &&
		    region->length && span.first <= last && first <= span.last)
			trace_vfio_range(span.first, span.last, region->type,
					 first, last);
	}
out_free:
	type1_regions_free(&regions);
}

/**
 * type1_ranges_explain() - Trace what keeps a span from being mapped
 * @iommu: the address space
 * @span: the span, which its ranges do not contain
 *
 * Context: Process context, @iommu->lock held, may sleep.
 */
void type1_ranges_explain(struct type1 *iommu, struct iova_span span)
{
	struct type1_domain *domain;
	struct type1_group *group;

	lockdep_assert_held(&iommu->lock);

	if (!trace_vfio_range_enabled())
		return;

	list_for_each_entry(domain, &iommu->domains, next) {
		explain_aperture(domain->domain, span);
		list_for_each_entry(group, &domain->groups, next)
			explain_regions(group->group, span);
	}
}

/**
 * type1_update_pgsizes() - Work out the page sizes again
 * @iommu: the address space, whose domains changed
 *
 * Context: Process context, @iommu->lock held.
 */
void type1_update_pgsizes(struct type1 *iommu)
{
	struct type1_domain *domain;
	u64 common = U64_MAX;

	lockdep_assert_held(&iommu->lock);

	if (list_empty(&iommu->domains)) {
		WRITE_ONCE(iommu->pgsizes, PAGE_MASK);
		return;
	}

	list_for_each_entry(domain, &iommu->domains, next)
		common &= domain->domain->pgsize_bitmap;
	WRITE_ONCE(iommu->pgsizes, iova_pgsizes_fold(common));
}
