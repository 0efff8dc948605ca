// SPDX-License-Identifier: GPL-2.0-only
/*
 * Eventfds whose signal writes a fixed value to a register, so that a guest's
 * doorbell needs no exit to the hypervisor's user space.
 *
 * A signal comes with the lock of the eventfd's wait queue held. The write is
 * done there if the gate can be had without sleeping, and by a worker if not.
 */
#include <linux/bitops.h>
#include <linux/nospec.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/unaligned.h>

#include "private.h"

/* A user must not fill the kernel's memory with them. */
#define MAX_IOEVENTFDS	1000

struct ioeventfd {
	struct list_head next;
	struct vfio_pci_core_device *vdev;
	struct virqfd *virqfd;
	unsigned int bar;
	u64 pos;
	unsigned int width;
	u64 data;		/* as the user gave it */
	unsigned int gate;	/* VFIO_PCI_GATE_* */
	enum vfio_pci_io_width max_width;
};

/* Gate open, and closed here. */
static void write_once(struct ioeventfd *ioev)
{
	u64 buf[2];
	u8 *image = (u8 *)buf + ioev->pos % sizeof(u64);

	put_unaligned_le64(ioev->data, image);
	/* In pieces where the place is not aligned, as write() does it. */
	vfio_pci_move_registers(ioev->vdev->barmap[ioev->bar], ioev->max_width,
				ioev->pos, image, ioev->width, true);
	vfio_pci_gate_end(ioev->vdev);
}

/* Return: whether the worker has to do it. */
static int ioeventfd_handler(void *opaque, void *unused)
{
	struct ioeventfd *ioev = opaque;
	int ret = vfio_pci_gate_try_begin(ioev->vdev, ioev->gate);

	if (!ret)
		write_once(ioev);
	return ret == -EAGAIN;
}

static void ioeventfd_thread(void *opaque, void *unused)
{
	struct ioeventfd *ioev = opaque;

	/* Nobody waits for an answer where there is nothing to write to. */
	if (!vfio_pci_gate_begin(ioev->vdev, ioev->gate))
		write_once(ioev);
}

static bool hits_msix_table(const struct vfio_pci_core_device *vdev,
			    const struct ioeventfd *ioev)
{
	return vdev->msix_size && ioev->bar == vdev->msix_bar &&
	       ioev->pos < (u64)vdev->msix_offset + vdev->msix_size &&
	       ioev->pos + ioev->width > vdev->msix_offset;
}

/* Take the user's words apart; what comes out may be written to. */
static int parse_target(struct vfio_pci_core_device *vdev,
			const struct vfio_device_ioeventfd *arg,
			struct ioeventfd *target)
{
	u64 bar = VFIO_PCI_OFFSET_TO_INDEX(arg->offset);
	u64 end;

	if (arg->flags & ~VFIO_DEVICE_IOEVENTFD_SIZE_MASK ||
	    hweight32(arg->flags) != 1 || arg->fd < -1)
		return -EINVAL;
	if (bar >= PCI_STD_NUM_BARS)
		return -EINVAL;

	*target = (struct ioeventfd) {
		.vdev = vdev,
		.bar = array_index_nospec((unsigned int)bar, PCI_STD_NUM_BARS),
		.pos = arg->offset & VFIO_PCI_OFFSET_MASK,
		.width = arg->flags,	/* the flags are the widths */
		.data = arg->data,
		.gate = VFIO_PCI_GATE_POWER | VFIO_PCI_GATE_NO_SLEEP,
		.max_width = VFIO_PCI_IO_WIDTH_4,
	};

	if (check_add_overflow(target->pos, target->width, &end) ||
	    end > pci_resource_len(vdev->pdev, target->bar) ||
	    hits_msix_table(vdev, target))
		return -EINVAL;

	if (pci_resource_flags(vdev->pdev, target->bar) & IORESOURCE_MEM) {
		target->gate |= VFIO_PCI_GATE_DECODE;
		target->max_width = VFIO_PCI_IO_WIDTH_8;
	}

	return vfio_pci_core_setup_barmap(vdev, target->bar);
}

static struct ioeventfd *find_same(struct vfio_pci_core_device *vdev,
				   const struct ioeventfd *target)
{
	struct ioeventfd *cur;

	lockdep_assert_held(&vdev->ioeventfds_lock);

	list_for_each_entry(cur, &vdev->ioeventfds_list, next)
		if (cur->bar == target->bar && cur->pos == target->pos &&
		    cur->width == target->width && cur->data == target->data)
			return cur;
	return NULL;
}

static void drop_ioeventfd(struct vfio_pci_core_device *vdev,
			   struct ioeventfd *ioev)
{
	lockdep_assert_held(&vdev->ioeventfds_lock);

	vfio_virqfd_disable(&ioev->virqfd);
	list_del(&ioev->next);
	vdev->ioeventfds_nr--;
	kfree(ioev);
}

static int add_ioeventfd(struct vfio_pci_core_device *vdev,
			 const struct ioeventfd *target, int fd)
{
	struct ioeventfd *ioev;
	int ret;

	lockdep_assert_held(&vdev->ioeventfds_lock);

	if (vdev->ioeventfds_nr >= MAX_IOEVENTFDS)
		return -ENOSPC;

	ioev = kmemdup(target, sizeof(*target), GFP_KERNEL_ACCOUNT);
	if (!ioev)
		return -ENOMEM;

	ret = vfio_virqfd_enable(ioev, ioeventfd_handler, ioeventfd_thread,
				 NULL, &ioev->virqfd, fd);
	if (ret) {
		kfree(ioev);
		return ret;
	}

	list_add(&ioev->next, &vdev->ioeventfds_list);
	vdev->ioeventfds_nr++;
	return 0;
}

/* VFIO_DEVICE_IOEVENTFD */
long vfio_pci_ioeventfd(struct vfio_pci_core_device *vdev, void __user *uarg)
{
	struct vfio_device_ioeventfd arg;
	struct ioeventfd target;
	struct ioeventfd *same;
	int ret;

	ret = vfio_uarg_get(&arg, sizeof(arg),
			    offsetofend(struct vfio_device_ioeventfd, fd),
			    uarg);
	if (!ret)
		ret = parse_target(vdev, &arg, &target);
	if (ret)
		return ret;

	guard(mutex)(&vdev->ioeventfds_lock);

	same = find_same(vdev, &target);
	if (arg.fd >= 0)
		return same ? -EEXIST : add_ioeventfd(vdev, &target, arg.fd);
	if (!same)
		return -ENODEV;

	drop_ioeventfd(vdev, same);
	return 0;
}

void vfio_pci_ioeventfds_close(struct vfio_pci_core_device *vdev)
{
	struct ioeventfd *cur, *next;

	guard(mutex)(&vdev->ioeventfds_lock);

	list_for_each_entry_safe(cur, next, &vdev->ioeventfds_list, next)
		drop_ioeventfd(vdev, cur);
}
