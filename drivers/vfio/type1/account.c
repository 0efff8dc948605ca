// SPDX-License-Identifier: GPL-2.0-only
/*
 * Locked memory: who pays for pinned pages, and getting it back.
 *
 * A mapping remembers its payer, the memory and the process that mapped it.
 * Whatever is charged for the mapping is given back to that memory: not to that
 * of whoever unmaps, who may be another process with the container's file, or
 * the same one after exec.
 *
 * The payer's mm_struct is held by mmgrab(), which keeps the struct, its lock
 * and its count, but not the memory. So giving back needs no living process:
 * where the memory is gone, the number written is read by nobody.
 */
#include <linux/capability.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/ratelimit.h>
#include <linux/resource.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#include "type1.h"

/**
 * type1_payer_make() - Let the caller's process pay
 * @unlimited: the caller has CAP_IPC_LOCK
 *
 * Context: Process context of a user's thread, may sleep.
 * Return: a reference, for type1_payer_put(); or NULL.
 */
struct type1_payer *type1_payer_make(bool unlimited)
{
	struct type1_payer *payer;

	payer = kmalloc(sizeof(*payer), GFP_KERNEL_ACCOUNT);
	if (!payer)
		return NULL;

	refcount_set(&payer->refs, 1);
	/* The leader: a thread may be gone when the limit is read again. */
	payer->task = get_task_struct(current->group_leader);
	payer->mm = current->mm;
	mmgrab(payer->mm);
	payer->unlimited = unlimited;
	return payer;
}

/**
 * type1_payer_is_current() - Would type1_payer_make() make one like this?
 * @payer: the payer
 * @unlimited: the caller has CAP_IPC_LOCK
 *
 * Context: Process context of a user's thread.
 * Return: true when it would.
 */
bool type1_payer_is_current(const struct type1_payer *payer, bool unlimited)
{
	return payer->mm == current->mm &&
	       payer->task == current->group_leader &&
	       payer->unlimited == unlimited;
}

/**
 * type1_payer_put() - Drop a reference
 * @payer: the payer, or NULL
 *
 * Context: Process context, may sleep.
 */
void type1_payer_put(struct type1_payer *payer)
{
	if (!payer || !refcount_dec_and_test(&payer->refs))
		return;

	mmdrop(payer->mm);
	put_task_struct(payer->task);
	kfree(payer);
}

/**
 * type1_charge() - Charge pages as locked memory
 * @payer: whom
 * @pages: how many
 *
 * Context: Process context, may sleep. Takes and releases the payer's
 * mmap_lock.
 * Return: 0, -ENOMEM where it would exceed RLIMIT_MEMLOCK, or -EINTR when the
 * caller is being killed.
 */
int type1_charge(const struct type1_payer *payer, unsigned long pages)
{
	int ret;

	if (!pages)
		return 0;

	ret = mmap_write_lock_killable(payer->mm);
	if (ret)
		return ret;

	ret = __account_locked_vm(payer->mm, pages, true, payer->task,
				  payer->unlimited);
	mmap_write_unlock(payer->mm);
	return ret;
}

/**
 * type1_charge_anyway() - Charge pages that are there, whatever the limit
 * @payer: whom
 * @pages: how many
 *
 * For what stays pinned when it was paid for otherwise before.
 *
 * Context: Process context, may sleep. Takes and releases the payer's
 * mmap_lock.
 */
void type1_charge_anyway(const struct type1_payer *payer, unsigned long pages)
{
	if (!pages)
		return;

	mmap_write_lock(payer->mm);
	__account_locked_vm(payer->mm, pages, true, payer->task, true);
	mmap_write_unlock(payer->mm);
}

/**
 * type1_uncharge() - Give back what type1_charge() took
 * @payer: whose it was; its process may be gone
 * @pages: how many
 *
 * Context: Process context, may sleep. Takes and releases the payer's
 * mmap_lock.
 */
void type1_uncharge(const struct type1_payer *payer, unsigned long pages)
{
	if (!pages)
		return;

	mmap_write_lock(payer->mm);
	__account_locked_vm(payer->mm, pages, false, payer->task, true);
	mmap_write_unlock(payer->mm);
}

/**
 * type1_refund_add() - Note that a payer gets pages back
 * @refund: the sum; zeroed before the first call
 * @payer: whose they were; may be put afterwards
 * @pages: how many
 *
 * Mappings mostly have one payer, so that one lock of its mmap_lock does for
 * all of them.
 *
 * Context: Process context, may sleep. May take the mmap_lock of an earlier
 * payer. Pairs with type1_refund_flush().
 */
void type1_refund_add(struct type1_refund *refund,
		      struct type1_payer *payer, unsigned long pages)
{
	if (!pages)
		return;

	if (refund->pages && refund->payer->mm != payer->mm)
		type1_refund_flush(refund);

	if (!refund->pages)
		refund->payer = type1_payer_get(payer);
	refund->pages += pages;
}

/**
 * type1_refund_flush() - Give back all that was noted
 * @refund: the sum; zero afterwards
 *
 * Context: Process context, may sleep. Takes the payer's mmap_lock.
 */
void type1_refund_flush(struct type1_refund *refund)
{
	if (!refund->pages)
		return;

	type1_uncharge(refund->payer, refund->pages);
	type1_payer_put(refund->payer);
	refund->pages = 0;
}
