// SPDX-License-Identifier: GPL-2.0-only
/*
 * Eventfds that call a driver back when a user or KVM signals them.
 *
 * A virqfd hangs in the eventfd's wait queue. A signal runs ->handler() right
 * there, under the queue's spinlock; where that returns non-zero, ->thread()
 * follows in a worker. A virqfd ends in one of two ways, which may race: its
 * owner calls vfio_virqfd_disable(), or the user closes the last file of the
 * eventfd. Whoever clears the owner's pointer, under virqfd_lock, queues the
 * one shutdown work that frees it. The owner waits for that work in both
 * cases, so nothing of a virqfd runs after vfio_virqfd_disable().
 *
 * Order of locks: wait queue of the eventfd -> virqfd_lock.
 */
#include <linux/eventfd.h>
#include <linux/export.h>
#include <linux/file.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/vfio.h>

#include "virqfd.h"

/* Guards every pointer that was given as pvirqfd. */
static DEFINE_SPINLOCK(virqfd_lock);

/* Shutdowns and flushes; apart from the threads that these wait for. */
static struct workqueue_struct *virqfd_wq;

int vfio_virqfd_init(void)
{
	virqfd_wq = alloc_workqueue("vfio-virqfd", 0, 0);
	return virqfd_wq ? 0 : -ENOMEM;
}

void vfio_virqfd_exit(void)
{
	destroy_workqueue(virqfd_wq);
}

/* Ends the virqfd unless somebody else did. */
static void virqfd_deactivate(struct virqfd **pvirqfd, struct virqfd *expected)
{
	unsigned long flags;

	spin_lock_irqsave(&virqfd_lock, flags);
	if (*pvirqfd && (!expected || *pvirqfd == expected)) {
		queue_work(virqfd_wq, &(*pvirqfd)->shutdown);
		*pvirqfd = NULL;
	}
	spin_unlock_irqrestore(&virqfd_lock, flags);
}

static void virqfd_signal(struct virqfd *virqfd)
{
	if (virqfd->handler && !virqfd->handler(virqfd->opaque, virqfd->data))
		return;
	if (virqfd->thread)
		schedule_work(&virqfd->inject);
}

/* The eventfd was signalled or is going away; its queue is locked. */
static int virqfd_wakeup(wait_queue_entry_t *wait, unsigned int mode, int sync,
			 void *key)
{
	struct virqfd *virqfd = container_of(wait, struct virqfd, wait);
	__poll_t events = key_to_poll(key);
	u64 count;

	if (events & EPOLLIN) {
		/* Taken, so that a later virqfd does not see an old signal. */
		eventfd_ctx_do_read(virqfd->eventfd, &count);
		virqfd_signal(virqfd);
	}
	if (events & EPOLLHUP)
		virqfd_deactivate(virqfd->pvirqfd, virqfd);

	return 0;
}

static void virqfd_queue_proc(struct file *file, wait_queue_head_t *wqh,
			      poll_table *pt)
{
	struct virqfd *virqfd = container_of(pt, struct virqfd, pt);

	add_wait_queue(wqh, &virqfd->wait);
}

static void virqfd_inject(struct work_struct *work)
{
	struct virqfd *virqfd = container_of(work, struct virqfd, inject);

	virqfd->thread(virqfd->opaque, virqfd->data);
}

static void virqfd_flush_inject(struct work_struct *work)
{
	struct virqfd *virqfd = container_of(work, struct virqfd, flush_inject);

	flush_work(&virqfd->inject);
}

static void virqfd_shutdown(struct work_struct *work)
{
	struct virqfd *virqfd = container_of(work, struct virqfd, shutdown);
	u64 count;

	eventfd_ctx_remove_wait_queue(virqfd->eventfd, &virqfd->wait, &count);
	flush_work(&virqfd->flush_inject);
	flush_work(&virqfd->inject);
	eventfd_ctx_put(virqfd->eventfd);
	kfree(virqfd);
}

static struct virqfd *virqfd_alloc(struct file *file)
{
	struct virqfd *virqfd = kzalloc(sizeof(*virqfd), GFP_KERNEL_ACCOUNT);

	if (!virqfd)
		return ERR_PTR(-ENOMEM);

	virqfd->eventfd = eventfd_ctx_fileget(file);
	if (IS_ERR(virqfd->eventfd)) {
		int ret = PTR_ERR(virqfd->eventfd);

		kfree(virqfd);
		return ERR_PTR(ret);
	}

	INIT_WORK(&virqfd->shutdown, virqfd_shutdown);
	INIT_WORK(&virqfd->inject, virqfd_inject);
	INIT_WORK(&virqfd->flush_inject, virqfd_flush_inject);
	init_waitqueue_func_entry(&virqfd->wait, virqfd_wakeup);
	init_poll_funcptr(&virqfd->pt, virqfd_queue_proc);
	return virqfd;
}

static int virqfd_publish(struct virqfd **pvirqfd, struct virqfd *virqfd)
{
	int ret = 0;

	spin_lock_irq(&virqfd_lock);
	if (*pvirqfd)
		ret = -EBUSY;
	else
		*pvirqfd = virqfd;
	spin_unlock_irq(&virqfd_lock);
	return ret;
}

/**
 * vfio_virqfd_enable() - Have an eventfd call back
 * @opaque: first argument of the callbacks
 * @handler: called for each signal with interrupts off and a spinlock held;
 *	returns whether @thread shall run; NULL to run it always
 * @thread: called in a worker; signals that come while it waits to run are
 *	one; or NULL
 * @data: second argument of the callbacks
 * @pvirqfd: where the virqfd is kept; cleared when the user closes the eventfd
 * @fd: the eventfd, in the table of the calling process
 *
 * Where the eventfd is already signalled, the callbacks run at once.
 *
 * Context: Process context, may sleep; the caller serialises enable and
 * disable of one @pvirqfd.
 * Return: 0; -EBUSY where @pvirqfd is in use; -EBADF or -EINVAL where @fd is
 * not an eventfd; -ENOMEM.
 */
int vfio_virqfd_enable(void *opaque, int (*handler)(void *opaque, void *data),
		       void (*thread)(void *opaque, void *data), void *data,
		       struct virqfd **pvirqfd, int fd)
{
	struct virqfd *virqfd;
	__poll_t events;
	struct fd f;
	int ret;

	f = fdget(fd);
	if (!fd_file(f))
		return -EBADF;

	virqfd = virqfd_alloc(fd_file(f));
	if (IS_ERR(virqfd)) {
		ret = PTR_ERR(virqfd);
		goto out_fdput;
	}
	virqfd->opaque = opaque;
	virqfd->data = data;
	virqfd->handler = handler;
	virqfd->thread = thread;
	virqfd->pvirqfd = pvirqfd;

	ret = virqfd_publish(pvirqfd, virqfd);
	if (ret) {
		eventfd_ctx_put(virqfd->eventfd);
		kfree(virqfd);
		goto out_fdput;
	}

	/*
	 * Enters the wait queue. Our reference on the file keeps EPOLLHUP, and
	 * with it the end of the virqfd, away until fdput().
	 */
	events = vfs_poll(fd_file(f), &virqfd->pt);
	if (events & EPOLLIN)
		virqfd_signal(virqfd);

out_fdput:
	fdput(f);
	return ret;
}
EXPORT_SYMBOL_GPL(vfio_virqfd_enable);

/**
 * vfio_virqfd_disable() - End a virqfd
 * @pvirqfd: what was given to vfio_virqfd_enable(); may hold NULL
 *
 * None of its callbacks runs or will run when this returns, also where the
 * user closed the eventfd meanwhile.
 *
 * Context: Process context, sleeps; no lock that the callbacks take.
 */
void vfio_virqfd_disable(struct virqfd **pvirqfd)
{
	virqfd_deactivate(pvirqfd, NULL);

	/* Also for a shutdown that the user's close queued before. */
	flush_workqueue(virqfd_wq);
}
EXPORT_SYMBOL_GPL(vfio_virqfd_disable);

/**
 * vfio_virqfd_flush_thread() - Wait until ->thread() is not running or pending
 * @pvirqfd: what was given to vfio_virqfd_enable(); may hold NULL
 *
 * The virqfd stays enabled: the owner calls this after it has made sure that
 * its handler asks for no more threads.
 *
 * Context: Process context, sleeps; no lock that ->thread() takes.
 */
void vfio_virqfd_flush_thread(struct virqfd **pvirqfd)
{
	unsigned long flags;

	/* Queued under the lock: after it the virqfd may be gone. */
	spin_lock_irqsave(&virqfd_lock, flags);
	if (*pvirqfd && (*pvirqfd)->thread)
		queue_work(virqfd_wq, &(*pvirqfd)->flush_inject);
	spin_unlock_irqrestore(&virqfd_lock, flags);

	flush_workqueue(virqfd_wq);
}
EXPORT_SYMBOL_GPL(vfio_virqfd_flush_thread);
