// SPDX-License-Identifier: GPL-2.0-only
/* Unmapping: whom to wait for, and taking mappings out of the tree. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/printk.h>
#include <linux/sched.h>

#include "type1.h"
#include "trace.h"

/* How long drivers are asked to unpin, and how long to wait each time. */
#define TELL_JIFFIES	(2 * HZ)
#define ROUND_JIFFIES	(HZ / 10 + 1)

/* From so many mappings on, one flush of a whole domain is the cheaper. */
#define SCATTERED_MAPPINGS	16

/**
 * type1_first_within() - Where in a range unmapping begins
 * @iommu: the address space
 * @span: the range
 *
 * Context: Process context, @iommu->lock held.
 * Return: the mapping, or NULL where there is nothing to do. That is so too where
 * the first mapping begins before the range, which only version 1 lets through.
 */
struct type1_mapping *type1_first_within(struct type1 *iommu,
					 struct iova_span span)
{
	struct type1_mapping *mapping = type1_mapping_find(iommu, span);

	return mapping && mapping->span.first >= span.first ? mapping : NULL;
}

/**
 * type1_next_within() - And where it goes on
 * @mapping: a mapping in the range
 * @span: the range
 *
 * Context: Process context, the address space's lock held.
 * Return: the next mapping, or NULL.
 */
struct type1_mapping *type1_next_within(struct type1_mapping *mapping,
					struct iova_span span)
{
	mapping = type1_mapping_next(mapping);
	return mapping && mapping->span.first <= span.last ? mapping : NULL;
}

/**
 * type1_mapping_kill() - Take a mapping out of the domains and the tree
 * @iommu: the address space
 * @mapping: the mapping, which no driver uses
 * @dead: list of &type1_mapping.dead, for type1_mappings_bury()
 *
 * Context: Process context, @iommu->lock held, may sleep. Within a sweep of all
 * domains.
 */
void type1_mapping_kill(struct type1 *iommu, struct type1_mapping *mapping,
			struct list_head *dead)
{
	lockdep_assert_held(&iommu->lock);

	type1_take_out(iommu, mapping);
	rb_erase(&mapping->node, &iommu->mappings);
	if (mapping->is_suspended)
		iommu->nr_suspended--;
	iommu->mappings_left++;
	list_add_tail(&mapping->dead, dead);
}

/**
 * type1_mappings_bury() - Let go of the memory of mappings, and free them
 * @dead: list of &type1_mapping.dead
 *
 * Context: Process context, may sleep. No lock held. Pairs with
 * type1_mapping_kill().
 */
void type1_mappings_bury(struct list_head *dead)
{
	struct type1_mapping *mapping, *next;
	struct type1_refund refund = {};

	list_for_each_entry_safe(mapping, next, dead, dead) {
		type1_let_go(mapping, &refund);
		type1_pins_abandon(mapping, &refund);
		type1_mapping_free(mapping);
		cond_resched();
	}
	type1_refund_flush(&refund);
}

/**
 * type1_check_cuts() - Does a range cut a mapping?
 * @iommu: the address space
 * @span: the range
 * @why: the rule that refused, written on failure
 *
 * Only version 2 is strict about it. Version 1 takes the whole of each mapping
 * that begins within the range, and stops at one that begins before it.
 *
 * Context: Process context, @iommu->lock held.
 * Return: 0, or -EINVAL where a mapping lies in it in part.
 */
int type1_check_cuts(struct type1 *iommu, struct iova_span span,
		     enum type1_rule *why)
{
	const struct iova_span low = { span.first, span.first };
	const struct iova_span high = { span.last, span.last };
	struct type1_mapping *mapping;

	*why = TYPE1_RULE_BISECT;
	if (!iommu->is_v2)
		return 0;

	mapping = type1_mapping_find(iommu, low);
	if (mapping && mapping->span.first != span.first)
		return -EINVAL;
	mapping = type1_mapping_find(iommu, high);
	if (mapping && mapping->span.last != span.last)
		return -EINVAL;
	return 0;
}

/**
 * struct outlook - What unmapping a range will meet
 * @first: the first mapping to unmap, or NULL
 * @nr: mappings to unmap
 * @is_cut: one reaches over a bound of the range
 * @is_busy: one is busy
 * @is_held: drivers hold pages of one, or copy
 */
struct outlook {
	struct type1_mapping *first;
	unsigned long nr;
	bool is_cut;
	bool is_busy;
	bool is_held;
};

/**
 * struct unmap - A range being unmapped
 * @next: link in &type1.unmaps while mappings are claimed
 * @iommu: the address space
 * @span: the range
 * @dead: list of &type1_mapping.dead of what was taken out of the tree
 * @unmapped: bytes of those
 * @bitmap: a user's, to be told which of their pages were dirty; or NULL
 * @buffer: a page, for @bitmap
 * @is_all_dirty: they all are
 * @outlook: what the range holds, as it was seen last
 * @has_claims: mappings are claimed, as @iommu->lock was dropped since they were
 *	looked at: only those that begin in @span are ours to unmap
 * @why: the rule that refused
 */
struct unmap {
	struct list_head next;
	struct type1 *iommu;
	struct iova_span span;
	struct list_head dead;
	u64 unmapped;
	const struct vfio_bitmap *bitmap;
	void *buffer;
	struct outlook outlook;
	bool is_all_dirty;
	bool has_claims;
	enum type1_rule why;
};

/* Do drivers hold pages or copy, so that they are to be waited for? */
static bool is_held(const struct type1_mapping *mapping)
{
	return type1_pins(mapping) || mapping->copies;
}

/* Does another unmap claim mappings that begin where ours may? */
static bool meets_claims(const struct unmap *unmap)
{
	const struct unmap *other;

	lockdep_assert_held(&unmap->iommu->lock);

	list_for_each_entry(other, &unmap->iommu->unmaps, next)
		if (unmap->span.first <= other->span.last &&
		    other->span.first <= unmap->span.last)
			return true;
	return false;
}

/*
 * Did this unmap claim a mapping of its range? In version 1 the claim of another
 * may reach into it, but not begin in it.
 */
static bool is_ours(const struct unmap *unmap,
		    const struct type1_mapping *mapping)
{
	return mapping->is_claimed && mapping->span.first >= unmap->span.first;
}

/* Look at each mapping of the range, once. */
static void look_ahead(struct unmap *unmap)
{
	const struct iova_span span = unmap->span;
	struct outlook *outlook = &unmap->outlook;
	struct type1_mapping *mapping;

	lockdep_assert_held(&unmap->iommu->lock);

	*outlook = (struct outlook){};
	for (mapping = type1_mapping_find(unmap->iommu, span); mapping;
	     mapping = type1_next_within(mapping, span)) {
		outlook->is_cut |= mapping->span.last > span.last;
		if (mapping->span.first < span.first) {
			/* Version 1 stops here. */
			outlook->is_cut = true;
			return;
		}
		if (!outlook->nr++)
			outlook->first = mapping;
		outlook->is_busy |= mapping->is_busy;
		outlook->is_held |= is_held(mapping);
		cond_resched();
	}
}

/* Nobody else removes these mappings now, and drivers get nothing new of them. */
static void claim_mappings(struct unmap *unmap)
{
	struct type1_mapping *mapping;

	lockdep_assert_held(&unmap->iommu->lock);

	for (mapping = unmap->outlook.first; mapping;
	     mapping = type1_next_within(mapping, unmap->span)) {
		mapping->is_busy = true;
		mapping->is_open = false;
		mapping->is_claimed = true;
	}
	list_add(&unmap->next, &unmap->iommu->unmaps);
	unmap->has_claims = true;
}

static void end_claims(struct unmap *unmap)
{
	lockdep_assert_held(&unmap->iommu->lock);

	list_del(&unmap->next);
	unmap->has_claims = false;
	type1_wake(unmap->iommu);
}

static void unclaim_mappings(struct unmap *unmap)
{
	struct type1_mapping *mapping;

	lockdep_assert_held(&unmap->iommu->lock);

	for (mapping = type1_mapping_find(unmap->iommu, unmap->span); mapping;
	     mapping = type1_next_within(mapping, unmap->span)) {
		if (!is_ours(unmap, mapping))
			continue;
		mapping->is_claimed = false;
		type1_settle(unmap->iommu, mapping);
	}
	end_claims(unmap);
}

/* The next mapping from @span on that we claimed and drivers still use. */
static struct type1_mapping *next_held(struct unmap *unmap,
				       struct iova_span span)
{
	struct type1_mapping *mapping;

	lockdep_assert_held(&unmap->iommu->lock);

	for (mapping = type1_mapping_find(unmap->iommu, span); mapping;
	     mapping = type1_next_within(mapping, span))
		if (is_ours(unmap, mapping) && is_held(mapping))
			return mapping;
	return NULL;
}

/* Ask for all pinned pages of the range, with the lock dropped each time. */
static void tell_of_range(struct unmap *unmap)
{
	struct type1 *iommu = unmap->iommu;
	struct iova_span rest = unmap->span;
	struct type1_mapping *mapping;

	while ((mapping = next_held(unmap, rest))) {
		const struct iova_span gone = mapping->span;

		if (type1_pins(mapping)) {
			mutex_unlock(&iommu->lock);
			type1_tell_devices(iommu, gone);
			cond_resched();
			mutex_lock(&iommu->lock);
		}
		if (gone.last >= unmap->span.last)
			break;
		rest.first = gone.last + 1;
	}
}

static int wait_for_drivers(struct type1 *iommu)
{
	const unsigned long before = iommu->settled;
	long ret;

	lockdep_assert_held(&iommu->lock);

	mutex_unlock(&iommu->lock);
	ret = wait_event_killable_timeout(iommu->settled_wait,
					  READ_ONCE(iommu->settled) != before,
					  ROUND_JIFFIES);
	mutex_lock(&iommu->lock);
	return ret < 0 ? -EINTR : 0;
}

/*
 * Have drivers give back what they hold of the range's mappings, which are
 * claimed on success. Copies end by themselves; pins are the drivers' to give
 * back, and a driver that does not is no reason to take pages from under its
 * device.
 */
static int reclaim(struct unmap *unmap)
{
	const unsigned long deadline = jiffies + TELL_JIFFIES;
	struct type1_mapping *held;
	int ret;

	claim_mappings(unmap);
	for (;;) {
		tell_of_range(unmap);
		held = next_held(unmap, unmap->span);
		if (!held)
			return 0;

		unmap->why = TYPE1_RULE_DRIVER;
		if (!held->copies && time_after(jiffies, deadline)) {
			pr_warn_ratelimited("a driver does not unpin %lu pages at %#lx..%#lx that are to be unmapped\n",
					    type1_pins(held), held->span.first,
					    held->span.last);
			ret = -EBUSY;
			break;
		}

		unmap->why = TYPE1_RULE_SIGNAL;
		ret = wait_for_drivers(unmap->iommu);
		if (ret)
			break;
	}
	unclaim_mappings(unmap);
	return ret;
}

/* Wait until the range can be unmapped in one go, which needs the lock only. */
static int make_ready(struct unmap *unmap)
{
	int ret;

	for (;;) {
		look_ahead(unmap);
		unmap->why = TYPE1_RULE_BISECT;
		if (unmap->iommu->is_v2 && unmap->outlook.is_cut)
			return -EINVAL;
		ret = unmap->bitmap ? type1_dirty_check(unmap->iommu, unmap->span,
							unmap->bitmap,
							&unmap->why) : 0;
		if (ret)
			return ret;
		if (!unmap->outlook.is_busy &&
		    !(unmap->outlook.is_held && meets_claims(unmap)))
			break;
		unmap->why = TYPE1_RULE_SIGNAL;
		ret = type1_wait_for_settling(unmap->iommu);
		if (ret)
			return ret;
	}

	return unmap->outlook.is_held ? reclaim(unmap) : 0;
}

/* A mapping that came meanwhile may begin before the range, and others behind it. */
static struct type1_mapping *first_to_kill(const struct unmap *unmap)
{
	if (unmap->has_claims)
		return type1_mapping_find(unmap->iommu, unmap->span);
	return unmap->outlook.first;
}

static void kill_range(struct unmap *unmap)
{
	struct type1_mapping *mapping, *next;

	lockdep_assert_held(&unmap->iommu->lock);

	unmap->is_all_dirty = unmap->iommu->wide_groups;
	type1_sweep_all_begin(unmap->iommu,
			      unmap->outlook.nr >= SCATTERED_MAPPINGS);
	for (mapping = first_to_kill(unmap); mapping; mapping = next) {
		next = type1_next_within(mapping, unmap->span);
		/* Others may have put some in while the lock was dropped. */
		if (unmap->has_claims && !is_ours(unmap, mapping))
			continue;
		unmap->unmapped += (u64)(mapping->span.last -
					 mapping->span.first) + 1;
		type1_mapping_kill(unmap->iommu, mapping, &unmap->dead);
		cond_resched();
	}
	type1_sweep_all_end(unmap->iommu);
	if (unmap->has_claims)
		end_claims(unmap);
}

/* Mappings are gone by then, so what fails cannot be undone. */
static int tell_dirty(struct unmap *unmap)
{
	unmap->why = TYPE1_RULE_USER_MEMORY;
	return type1_dirty_tell_dead(&unmap->dead, unmap->span, unmap->bitmap,
				     unmap->is_all_dirty, unmap->buffer);
}

static int unmap_range(struct unmap *unmap)
{
	struct type1 *iommu = unmap->iommu;
	int ret;

	INIT_LIST_HEAD(&unmap->dead);

	mutex_lock(&iommu->lock);
	ret = make_ready(unmap);
	if (!ret)
		kill_range(unmap);
	mutex_unlock(&iommu->lock);

	if (!ret && unmap->bitmap)
		ret = tell_dirty(unmap);
	type1_mappings_bury(&unmap->dead);
	return ret;
}

static int unmap_with_buffer(struct unmap *unmap)
{
	int ret;

	unmap->why = TYPE1_RULE_MEMORY;
	unmap->buffer = (void *)__get_free_page(GFP_KERNEL);
	if (!unmap->buffer)
		return -ENOMEM;

	ret = unmap_range(unmap);
	free_page((unsigned long)unmap->buffer);
	return ret;
}

/**
 * type1_unmap() - Unmap what lies in a range
 * @iommu: the address space
 * @iova: where it begins
 * @size: bytes
 * @bitmap: a user's, to be told which pages were dirty; or NULL
 * @unmapped: bytes that were unmapped; there may be holes, and nothing at all
 *
 * Context: Process context, may sleep, and fault user memory where there is a
 * @bitmap. Takes and releases @iommu->lock, and waits for those who fill a
 * mapping within the range.
 * Return: 0; -EINVAL for a range that is empty, not aligned, wraps, or would
 * cut a mapping of a version 2 address space, and for a bitmap that does not do,
 * with nothing unmapped; and likewise -EINTR when being killed, -EBUSY when a
 * driver does not unpin its pages, and -ENOMEM. -EFAULT when the bitmap could not
 * be written, with @unmapped bytes unmapped all the same.
 */
int type1_unmap(struct type1 *iommu, u64 iova, u64 size,
		const struct vfio_bitmap *bitmap, u64 *unmapped)
{
	struct unmap unmap = { .iommu = iommu, .bitmap = bitmap };
	int ret;

	ret = iova_span_make(iova, size, type1_alignment(iommu), &unmap.span,
			     &unmap.why);
	if (!ret)
		ret = bitmap ? unmap_with_buffer(&unmap) : unmap_range(&unmap);

	*unmapped = unmap.unmapped;
	trace_vfio_unmap(iova, size, *unmapped, ret,
			 ret ? unmap.why : TYPE1_RULE_NONE);
	return ret;
}

/**
 * type1_unmap_all() - Unmap everything
 * @iommu: the address space
 * @unmapped: bytes that were unmapped
 *
 * Context: As type1_unmap().
 * Return: 0; or with nothing unmapped -EINTR when being killed, and -EBUSY when a
 * driver does not unpin its pages.
 */
int type1_unmap_all(struct type1 *iommu, u64 *unmapped)
{
	struct unmap unmap = {
		.iommu = iommu,
		.span = { .first = 0, .last = ULONG_MAX },
	};
	int ret;

	ret = unmap_range(&unmap);
	*unmapped = unmap.unmapped;
	trace_vfio_unmap(0, 0, *unmapped, ret,
			 ret ? unmap.why : TYPE1_RULE_NONE);
	return ret;
}

/**
 * type1_mappings_destroy() - Forget all mappings with their address space
 * @iommu: the address space, without domains and users
 *
 * Context: Process context, may sleep.
 */
void type1_mappings_destroy(struct type1 *iommu)
{
	struct type1_mapping *mapping, *next;
	LIST_HEAD(dead);

	mutex_lock(&iommu->lock);
	rbtree_postorder_for_each_entry_safe(mapping, next, &iommu->mappings,
					     node)
		list_add_tail(&mapping->dead, &dead);
	iommu->mappings = RB_ROOT;
	mutex_unlock(&iommu->lock);

	type1_mappings_bury(&dead);
}
