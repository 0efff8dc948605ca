// SPDX-License-Identifier: GPL-2.0-only
/*
 * Emulated devices that pin, unpin and copy memory as a test tells them to.
 *
 * Uses the driver API of <linux/vfio.h> and nothing behind it, so the same file
 * is built for this subsystem and for the one that a distribution ships. The
 * interface is vfio_emu.h. Not to be installed: it serves whoever may open it,
 * and it lets a test break the rules of drivers.
 */
#include <linux/highmem.h>
#include <linux/iommu.h>
#include <linux/iova_bitmap.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/timex.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "vfio_emu.h"

#define MAX_LOOPS	0x100000U
#define MAX_DEVICES	64

static unsigned int devices = 1;
module_param(devices, uint, 0444);
MODULE_PARM_DESC(devices, "How many devices to make, up to 64");

static struct platform_device *made[MAX_DEVICES];

/* A page of the table of pins. */
struct emu_pin {
	struct page *page;
	unsigned int count;
};

/*
 * @lock is held while the core pins and unpins, as drivers do: the core must call
 * ->dma_unmap() without any lock that pinning takes.
 */
struct emu_device {
	struct vfio_device vdev;
	struct mutex lock;	/* of all below */
	struct xarray pins;	/* struct emu_pin by IOVA page */
	struct xarray written;	/* IOVA pages written since they were reported */
	bool is_logging;
	struct vfio_emu_notice on_notice;
	struct vfio_emu_state state;
};

static struct emu_device *to_emu(struct vfio_device *vdev)
{
	return container_of(vdev, struct emu_device, vdev);
}

/* --- Doing a thing in a kernel thread ------------------------------------- */

struct emu_job {
	struct work_struct work;
	struct emu_device *emu;
	int (*run)(struct emu_device *emu, void *arg);
	void *arg;
	int ret;
};

static void run_job(struct work_struct *work)
{
	struct emu_job *job = container_of(work, struct emu_job, work);

	job->ret = job->run(job->emu, job->arg);
}

static int run_elsewhere(struct emu_device *emu,
			 int (*run)(struct emu_device *emu, void *arg), void *arg)
{
	struct emu_job job = { .emu = emu, .run = run, .arg = arg };

	INIT_WORK_ONSTACK(&job.work, run_job);
	queue_work(system_unbound_wq, &job.work);
	flush_work(&job.work);
	destroy_work_on_stack(&job.work);
	return job.ret;
}

static int run_as_told(struct emu_device *emu, unsigned int flags,
		       int (*run)(struct emu_device *emu, void *arg), void *arg)
{
	if (flags & VFIO_EMU_KTHREAD)
		return run_elsewhere(emu, run, arg);
	return run(emu, arg);
}

static int iommu_prot(unsigned int flags)
{
	return (flags & VFIO_EMU_READ ? IOMMU_READ : 0) |
	       (flags & VFIO_EMU_WRITE ? IOMMU_WRITE : 0);
}

/* --- The table of pins ----------------------------------------------------- */

static int note_pin(struct emu_device *emu, unsigned long index,
		    struct page *page)
{
	struct emu_pin *pin = xa_load(&emu->pins, index);
	int ret;

	lockdep_assert_held(&emu->lock);

	if (pin) {
		pin->count++;
		return pin->page == page ? 0 : -EUCLEAN;
	}

	pin = kzalloc(sizeof(*pin), GFP_KERNEL);
	if (!pin)
		return -ENOMEM;
	pin->page = page;
	pin->count = 1;
	ret = xa_err(xa_store(&emu->pins, index, pin, GFP_KERNEL));
	if (ret)
		kfree(pin);
	else
		emu->state.pinned_pages++;
	return ret;
}

/* Forget one pin of a page. */
static void forget_pin(struct emu_device *emu, unsigned long index,
		       struct emu_pin *pin)
{
	lockdep_assert_held(&emu->lock);

	if (--pin->count)
		return;
	xa_erase(&emu->pins, index);
	kfree(pin);
	emu->state.pinned_pages--;
}

/* Unpin the table's pages within [first, last], or every second one. */
static void drop_pins(struct emu_device *emu, unsigned long first,
		      unsigned long last, unsigned int step)
{
	struct emu_pin *pin;
	unsigned long index;
	unsigned int nth = 0;

	lockdep_assert_held(&emu->lock);

	xa_for_each_range(&emu->pins, index, pin, first, last) {
		unsigned int left = pin->count;

		if (nth++ % step)
			continue;
		while (left--) {
			vfio_unpin_pages(&emu->vdev,
					 (dma_addr_t)index << PAGE_SHIFT, 1);
			forget_pin(emu, index, pin);
		}
		cond_resched();
	}
}

/* --- PIN and UNPIN ---------------------------------------------------------- */

struct pin_call {
	struct vfio_emu_pin arg;
	struct page **pages;
};

static int pin_and_note(struct emu_device *emu, void *arg)
{
	struct pin_call *call = arg;
	const dma_addr_t iova = call->arg.iova;
	int i, n, ret = 0;

	mutex_lock(&emu->lock);
	n = vfio_pin_pages(&emu->vdev, iova, call->arg.npages,
			   iommu_prot(call->arg.flags), call->pages);
	for (i = 0; i < n && !(call->arg.flags & VFIO_EMU_RAW) && !ret; i++)
		ret = note_pin(emu, (iova >> PAGE_SHIFT) + i, call->pages[i]);
	if (ret) {
		vfio_unpin_pages(&emu->vdev, iova, n);
		for (n = 0; n < i - 1; n++)
			forget_pin(emu, (iova >> PAGE_SHIFT) + n,
				   xa_load(&emu->pins, (iova >> PAGE_SHIFT) + n));
	}
	mutex_unlock(&emu->lock);
	return ret ? ret : n;
}

static int give_frames(const struct pin_call *call, int n)
{
	u64 __user *to = u64_to_user_ptr(call->arg.pfns);
	int i;

	for (i = 0; call->arg.pfns && i < n; i++)
		if (put_user(page_to_pfn(call->pages[i]), to + i))
			return -EFAULT;
	return n;
}

static long emu_pin(struct emu_device *emu, void __user *uarg)
{
	struct pin_call call;
	int ret;

	if (copy_from_user(&call.arg, uarg, sizeof(call.arg)))
		return -EFAULT;

	/* As many as the core may fill; what it refuses it does not fill. */
	call.pages = kvcalloc(VFIO_PIN_PAGES_MAX_ENTRIES, sizeof(*call.pages),
			      GFP_KERNEL);
	if (!call.pages)
		return -ENOMEM;
	ret = run_as_told(emu, call.arg.flags, pin_and_note, &call);
	if (ret > 0)
		ret = give_frames(&call, ret);
	kvfree(call.pages);
	return ret;
}

static int unpin_and_forget(struct emu_device *emu, void *arg)
{
	struct pin_call *call = arg;
	const unsigned long first = call->arg.iova >> PAGE_SHIFT;
	const u32 npages = call->arg.npages;
	int ret = npages;
	u32 i;

	mutex_lock(&emu->lock);
	if (!(call->arg.flags & VFIO_EMU_RAW)) {
		for (i = 0; i < npages; i++)
			if (!xa_load(&emu->pins, first + i))
				ret = -ENOENT;
		for (i = 0; ret >= 0 && i < npages; i++)
			forget_pin(emu, first + i, xa_load(&emu->pins, first + i));
	}
	if (ret >= 0)
		vfio_unpin_pages(&emu->vdev, call->arg.iova, npages);
	mutex_unlock(&emu->lock);
	return ret;
}

static long emu_unpin(struct emu_device *emu, void __user *uarg)
{
	struct pin_call call;

	if (copy_from_user(&call.arg, uarg, sizeof(call.arg)))
		return -EFAULT;
	if (call.arg.npages > MAX_LOOPS)
		return -EINVAL;
	return run_as_told(emu, call.arg.flags, unpin_and_forget, &call);
}

/* --- Logging of writes -------------------------------------------------------- */

static void log_write(struct emu_device *emu, u64 iova, u64 len)
{
	unsigned long index = iova >> PAGE_SHIFT;

	lockdep_assert_held(&emu->lock);

	if (!emu->is_logging || !len)
		return;
	for (; index <= (iova + len - 1) >> PAGE_SHIFT; index++)
		WARN_ON_ONCE(xa_err(xa_store(&emu->written, index,
					     xa_mk_value(1), GFP_KERNEL)));
}

static int emu_log_start(struct vfio_device *vdev,
			 struct rb_root_cached *ranges, u32 nnodes,
			 u64 *page_size)
{
	struct emu_device *emu = to_emu(vdev);
	int ret = 0;

	mutex_lock(&emu->lock);
	if (emu->is_logging)
		ret = -EBUSY;
	emu->is_logging = true;
	mutex_unlock(&emu->lock);
	*page_size = PAGE_SIZE;
	return ret;
}

static int emu_log_stop(struct vfio_device *vdev)
{
	struct emu_device *emu = to_emu(vdev);

	mutex_lock(&emu->lock);
	emu->is_logging = false;
	xa_destroy(&emu->written);
	mutex_unlock(&emu->lock);
	return 0;
}

static int emu_log_read_and_clear(struct vfio_device *vdev, unsigned long iova,
				  unsigned long length,
				  struct iova_bitmap *dirty)
{
	struct emu_device *emu = to_emu(vdev);
	unsigned long index;
	int ret = -EINVAL;
	void *entry;

	mutex_lock(&emu->lock);
	if (emu->is_logging) {
		xa_for_each_range(&emu->written, index, entry,
				  iova >> PAGE_SHIFT,
				  (iova + length - 1) >> PAGE_SHIFT) {
			iova_bitmap_set(dirty, index << PAGE_SHIFT, PAGE_SIZE);
			xa_erase(&emu->written, index);
		}
		ret = 0;
	}
	mutex_unlock(&emu->lock);
	return ret;
}

static const struct vfio_log_ops emu_log_ops = {
	.log_start = emu_log_start,
	.log_stop = emu_log_stop,
	.log_read_and_clear = emu_log_read_and_clear,
};

/* --- RW and ACCESS ----------------------------------------------------------- */

struct rw_call {
	struct vfio_emu_rw arg;
	void *data;
};

static int copy_by_core(struct emu_device *emu, void *arg)
{
	struct rw_call *call = arg;
	int ret;

	ret = vfio_dma_rw(&emu->vdev, call->arg.iova, call->data, call->arg.len,
			  call->arg.flags & VFIO_EMU_WRITE);
	if (call->arg.flags & VFIO_EMU_WRITE && !ret) {
		mutex_lock(&emu->lock);
		log_write(emu, call->arg.iova, call->arg.len);
		mutex_unlock(&emu->lock);
	}
	return ret;
}

static int copy_by_pins(struct emu_device *emu, void *arg)
{
	struct rw_call *call = arg;
	u64 iova = call->arg.iova;
	u32 done = 0;
	int ret = 0;

	mutex_lock(&emu->lock);
	while (done < call->arg.len) {
		struct emu_pin *pin = xa_load(&emu->pins, iova >> PAGE_SHIFT);
		u32 n = min_t(u32, call->arg.len - done,
			      PAGE_SIZE - offset_in_page(iova));

		if (!pin) {
			ret = -ENOENT;
			break;
		}
		if (call->arg.flags & VFIO_EMU_WRITE) {
			memcpy_to_page(pin->page, offset_in_page(iova),
				       call->data + done, n);
			log_write(emu, iova, n);
		} else {
			memcpy_from_page(call->data + done, pin->page,
					 offset_in_page(iova), n);
		}
		iova += n;
		done += n;
	}
	mutex_unlock(&emu->lock);
	return ret;
}

static long emu_rw(struct emu_device *emu, void __user *uarg,
		   int (*copy)(struct emu_device *emu, void *arg))
{
	struct rw_call call;
	void __user *buf;
	long ret = 0;

	if (copy_from_user(&call.arg, uarg, sizeof(call.arg)))
		return -EFAULT;
	if (call.arg.len > VFIO_EMU_MAX_LEN)
		return -EINVAL;

	buf = u64_to_user_ptr(call.arg.buf);
	call.data = kvzalloc(max_t(size_t, call.arg.len, 1), GFP_KERNEL);
	if (!call.data)
		return -ENOMEM;
	if (call.arg.flags & VFIO_EMU_WRITE &&
	    copy_from_user(call.data, buf, call.arg.len))
		ret = -EFAULT;
	if (!ret)
		ret = run_as_told(emu, call.arg.flags, copy, &call);
	if (!ret && !(call.arg.flags & VFIO_EMU_WRITE) &&
	    copy_to_user(buf, call.data, call.arg.len))
		ret = -EFAULT;
	kvfree(call.data);
	return ret;
}

/* --- TIME -------------------------------------------------------------------- */

static int time_pins(struct emu_device *emu, struct vfio_emu_time *arg)
{
	struct page **pages;
	u32 i;
	int n = 0;

	pages = kvcalloc(VFIO_PIN_PAGES_MAX_ENTRIES, sizeof(*pages), GFP_KERNEL);
	if (!pages)
		return -ENOMEM;

	for (i = 0; i < arg->loops; i++) {
		cycles_t start = get_cycles(), pinned;

		n = vfio_pin_pages(&emu->vdev, arg->iova, arg->size,
				   iommu_prot(arg->flags), pages);
		if (n <= 0)
			break;
		pinned = get_cycles();
		vfio_unpin_pages(&emu->vdev, arg->iova, n);
		arg->ticks[0] += pinned - start;
		arg->ticks[1] += get_cycles() - pinned;
		cond_resched();
	}
	kvfree(pages);
	return min(n, 0);
}

static int time_rw(struct emu_device *emu, struct vfio_emu_time *arg)
{
	void *data;
	int ret = 0;
	u32 i;

	if (arg->size > VFIO_EMU_MAX_LEN)
		return -EINVAL;
	data = kvzalloc(max_t(size_t, arg->size, 1), GFP_KERNEL);
	if (!data)
		return -ENOMEM;

	for (i = 0; i < arg->loops && !ret; i++) {
		cycles_t start = get_cycles();

		ret = vfio_dma_rw(&emu->vdev, arg->iova, data, arg->size,
				  arg->flags & VFIO_EMU_WRITE);
		arg->ticks[0] += get_cycles() - start;
		cond_resched();
	}
	kvfree(data);
	return ret;
}

static int time_work(struct emu_device *emu, void *arg)
{
	struct vfio_emu_time *time = arg;

	switch (time->work) {
	case VFIO_EMU_TIME_PIN:
		return time_pins(emu, time);
	case VFIO_EMU_TIME_RW:
		return time_rw(emu, time);
	}
	return -EINVAL;
}

static long emu_time(struct emu_device *emu, void __user *uarg)
{
	struct vfio_emu_time arg;
	int ret;

	if (copy_from_user(&arg, uarg, sizeof(arg)))
		return -EFAULT;
	if (arg.loops > MAX_LOOPS)
		return -EINVAL;
	memset(arg.ticks, 0, sizeof(arg.ticks));
	ret = run_as_told(emu, arg.flags, time_work, &arg);
	if (!ret && copy_to_user(uarg, &arg, sizeof(arg)))
		ret = -EFAULT;
	return ret;
}

/* --- What the core asks ------------------------------------------------------ */

static int drop_everything(struct emu_device *emu, void *arg)
{
	const u64 *range = arg;

	mutex_lock(&emu->lock);
	drop_pins(emu, range[0] >> PAGE_SHIFT, range[1] >> PAGE_SHIFT, 1);
	mutex_unlock(&emu->lock);
	return 0;
}

static void read_after_drop(struct emu_device *emu, u64 iova)
{
	u64 data;
	int ret = vfio_dma_rw(&emu->vdev, iova, &data, sizeof(data), false);

	mutex_lock(&emu->lock);
	emu->state.read_result = ret;
	mutex_unlock(&emu->lock);
}

static void emu_dma_unmap(struct vfio_device *vdev, u64 iova, u64 length)
{
	struct emu_device *emu = to_emu(vdev);
	u64 range[2] = { iova, iova + length - 1 };
	struct vfio_emu_notice what;
	unsigned int nth;

	mutex_lock(&emu->lock);
	what = emu->on_notice;
	nth = emu->state.notices++ % VFIO_EMU_LAST;
	emu->state.last[nth].iova = iova;
	emu->state.last[nth].length = length;
	if (what.action == VFIO_EMU_DROP_HALF) {
		drop_pins(emu, range[0] >> PAGE_SHIFT, range[1] >> PAGE_SHIFT, 2);
		emu->on_notice.action = VFIO_EMU_DROP;
	}
	mutex_unlock(&emu->lock);

	switch (what.action) {
	case VFIO_EMU_DROP:
		drop_everything(emu, range);
		break;
	case VFIO_EMU_DROP_ELSEWHERE:
		run_elsewhere(emu, drop_everything, range);
		break;
	case VFIO_EMU_DROP_AND_READ:
		drop_everything(emu, range);
		read_after_drop(emu, what.iova);
		break;
	}
}

static int emu_open_device(struct vfio_device *vdev)
{
	struct emu_device *emu = to_emu(vdev);

	mutex_lock(&emu->lock);
	emu->state.opens++;
	emu->on_notice = (struct vfio_emu_notice){ .action = VFIO_EMU_DROP };
	mutex_unlock(&emu->lock);
	return 0;
}

static void emu_close_device(struct vfio_device *vdev)
{
	struct emu_device *emu = to_emu(vdev);

	mutex_lock(&emu->lock);
	emu->state.closes++;
	drop_pins(emu, 0, ULONG_MAX, 1);
	emu->is_logging = false;
	xa_destroy(&emu->written);
	mutex_unlock(&emu->lock);
}

static void emu_request(struct vfio_device *vdev, unsigned int count)
{
	struct emu_device *emu = to_emu(vdev);

	mutex_lock(&emu->lock);
	emu->state.requests++;
	mutex_unlock(&emu->lock);
}

static long emu_info(void __user *uarg)
{
	const size_t minsz = offsetofend(struct vfio_device_info, num_irqs);
	struct vfio_device_info info = {};

	if (copy_from_user(&info, uarg, minsz))
		return -EFAULT;
	if (info.argsz < minsz)
		return -EINVAL;
	info = (struct vfio_device_info){ .argsz = info.argsz };
	return copy_to_user(uarg, &info, minsz) ? -EFAULT : 0;
}

static long emu_on_notice(struct emu_device *emu, void __user *uarg)
{
	struct vfio_emu_notice what;

	if (copy_from_user(&what, uarg, sizeof(what)))
		return -EFAULT;
	if (what.action > VFIO_EMU_DROP_HALF)
		return -EINVAL;
	mutex_lock(&emu->lock);
	emu->on_notice = what;
	mutex_unlock(&emu->lock);
	return 0;
}

static long emu_state(struct emu_device *emu, void __user *uarg)
{
	struct vfio_emu_state state;

	mutex_lock(&emu->lock);
	state = emu->state;
	mutex_unlock(&emu->lock);
	return copy_to_user(uarg, &state, sizeof(state)) ? -EFAULT : 0;
}

static long emu_ioctl(struct vfio_device *vdev, unsigned int cmd,
		      unsigned long arg)
{
	struct emu_device *emu = to_emu(vdev);
	void __user *uarg = (void __user *)arg;

	switch (cmd) {
	case VFIO_DEVICE_GET_INFO:
		return emu_info(uarg);
	case VFIO_EMU_PIN:
		return emu_pin(emu, uarg);
	case VFIO_EMU_UNPIN:
		return emu_unpin(emu, uarg);
	case VFIO_EMU_RW:
		return emu_rw(emu, uarg, copy_by_core);
	case VFIO_EMU_ACCESS:
		return emu_rw(emu, uarg, copy_by_pins);
	case VFIO_EMU_ON_NOTICE:
		return emu_on_notice(emu, uarg);
	case VFIO_EMU_STATE:
		return emu_state(emu, uarg);
	case VFIO_EMU_TIME:
		return emu_time(emu, uarg);
	}
	return -ENOTTY;
}

static int emu_init_device(struct vfio_device *vdev)
{
	struct emu_device *emu = to_emu(vdev);

	mutex_init(&emu->lock);
	xa_init(&emu->pins);
	xa_init(&emu->written);
	vdev->log_ops = &emu_log_ops;
	return 0;
}

static void emu_release_device(struct vfio_device *vdev)
{
	struct emu_device *emu = to_emu(vdev);
	struct emu_pin *pin;
	unsigned long index;

	xa_for_each(&emu->pins, index, pin)
		kfree(pin);
	xa_destroy(&emu->pins);
	xa_destroy(&emu->written);
	mutex_destroy(&emu->lock);
}

static const struct vfio_device_ops emu_ops = {
	.name		= "vfio-emu",
	.init		= emu_init_device,
	.release	= emu_release_device,
	.open_device	= emu_open_device,
	.close_device	= emu_close_device,
	.ioctl		= emu_ioctl,
	.request	= emu_request,
	.dma_unmap	= emu_dma_unmap,
	.bind_iommufd	= vfio_iommufd_emulated_bind,
	.unbind_iommufd	= vfio_iommufd_emulated_unbind,
	.attach_ioas	= vfio_iommufd_emulated_attach_ioas,
	.detach_ioas	= vfio_iommufd_emulated_detach_ioas,
};

static int emu_probe(struct platform_device *pdev)
{
	struct emu_device *emu;
	int ret;

	emu = vfio_alloc_device(emu_device, vdev, &pdev->dev, &emu_ops);
	if (IS_ERR(emu))
		return PTR_ERR(emu);

	platform_set_drvdata(pdev, emu);
	ret = vfio_register_emulated_iommu_dev(&emu->vdev);
	if (ret)
		vfio_put_device(&emu->vdev);
	return ret;
}

static void emu_remove(struct platform_device *pdev)
{
	struct emu_device *emu = platform_get_drvdata(pdev);

	vfio_unregister_group_dev(&emu->vdev);
	vfio_put_device(&emu->vdev);
}

static struct platform_driver emu_driver = {
	.probe	= emu_probe,
	.remove	= emu_remove,
	.driver	= { .name = "vfio_emu" },
};

static void unmake_devices(unsigned int n)
{
	while (n--)
		platform_device_unregister(made[n]);
}

static int __init emu_init(void)
{
	unsigned int i;
	int ret;

	if (devices > MAX_DEVICES)
		return -EINVAL;
	ret = platform_driver_register(&emu_driver);
	if (ret)
		return ret;

	for (i = 0; i < devices; i++) {
		made[i] = platform_device_register_simple("vfio_emu", i, NULL, 0);
		if (IS_ERR(made[i])) {
			ret = PTR_ERR(made[i]);
			unmake_devices(i);
			platform_driver_unregister(&emu_driver);
			return ret;
		}
	}
	return 0;
}

static void __exit emu_exit(void)
{
	unmake_devices(devices);
	platform_driver_unregister(&emu_driver);
}

module_init(emu_init);
module_exit(emu_exit);
MODULE_IMPORT_NS(IOMMUFD);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Emulated VFIO devices that tests drive");
