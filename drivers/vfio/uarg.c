// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arguments of ioctls: taking a struct that begins with argsz from user space,
 * and giving one back with a chain of capabilities behind it.
 *
 * Every such struct begins with "__u32 argsz", the bytes that the user has
 * room for. A command states how many of them it cannot do without; what else
 * a newer user may have put behind them is neither read nor written.
 */
#include <linux/align.h>
#include <linux/export.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>

/* Capabilities hold 64-bit members, so each begins at a multiple of 8. */
#define CAP_ALIGN	sizeof(u64)

/**
 * vfio_uarg_get() - Take a struct that begins with argsz from user space
 * @karg: kernel copy; what lies behind @minsz is zeroed
 * @ksize: size of @karg in bytes
 * @minsz: bytes that the command cannot do without, at most @ksize
 * @uarg: the user's struct
 *
 * Context: Any context that may fault user pages; no lock that a fault needs.
 * Return: 0, -EFAULT where @uarg cannot be read, or -EINVAL where argsz is less
 * than @minsz.
 */
int vfio_uarg_get(void *karg, size_t ksize, size_t minsz,
		  const void __user *uarg)
{
	u32 argsz;

	if (WARN_ON_ONCE(minsz < sizeof(argsz) || minsz > ksize))
		return -EINVAL;

	if (copy_from_user(karg, uarg, minsz))
		return -EFAULT;

	memcpy(&argsz, karg, sizeof(argsz));
	if (argsz < minsz)
		return -EINVAL;

	memset(karg + minsz, 0, ksize - minsz);
	return 0;
}
EXPORT_SYMBOL_GPL(vfio_uarg_get);

/**
 * vfio_info_cap_add() - Append an empty capability to a chain
 * @caps: the chain
 * @size: bytes of the capability, header included
 * @id: what it is
 * @version: version of its layout
 *
 * Offsets count from the start of the chain until vfio_info_cap_shift(). A
 * failure frees the chain and leaves it empty, so that there is one owner of
 * the memory at any time.
 *
 * Context: Process context, may sleep.
 * Return: the zeroed capability with its header filled, valid until the next
 * call; or ERR_PTR() of -EINVAL (shorter than a header) or -ENOMEM.
 */
struct vfio_info_cap_header *vfio_info_cap_add(struct vfio_info_cap *caps,
					       size_t size, u16 id, u16 version)
{
	struct vfio_info_cap_header *last, *added;
	size_t room, total;
	int ret = -EINVAL;
	void *buf;

	if (size < sizeof(*added))
		goto drop_chain;

	ret = -ENOMEM;
	if (check_add_overflow(size, CAP_ALIGN - 1, &room))
		goto drop_chain;
	room = ALIGN_DOWN(room, CAP_ALIGN);
	/* Offsets are 32 bits wide, and a reply's header comes before them. */
	if (check_add_overflow(caps->size, room, &total) || total > INT_MAX)
		goto drop_chain;

	buf = krealloc(caps->buf, total, GFP_KERNEL);
	if (!buf)
		goto drop_chain;

	added = buf + caps->size;
	memset(added, 0, room);
	added->id = id;
	added->version = version;

	if (caps->size) {
		for (last = buf; last->next; last = buf + last->next)
			;
		last->next = caps->size;
	}

	caps->buf = buf;
	caps->size = total;
	return added;

drop_chain:
	kfree(caps->buf);
	caps->buf = NULL;
	caps->size = 0;
	return ERR_PTR(ret);
}
EXPORT_SYMBOL_GPL(vfio_info_cap_add);

/**
 * vfio_info_cap_shift() - Make a chain's offsets count from the reply's start
 * @caps: the chain, not empty
 * @offset: bytes from the start of the reply's struct to the chain
 *
 * Called once, when nothing more is appended.
 *
 * Context: Any.
 */
void vfio_info_cap_shift(struct vfio_info_cap *caps, size_t offset)
{
	struct vfio_info_cap_header *cap = caps->buf;

	if (WARN_ON_ONCE(!IS_ALIGNED(offset, CAP_ALIGN)) || !cap)
		return;

	while (cap->next) {
		u32 next = cap->next;

		cap->next += offset;
		cap = (void *)caps->buf + next;
	}
}
EXPORT_SYMBOL(vfio_info_cap_shift);

/**
 * vfio_info_add_capability() - Append a copy of a capability to a chain
 * @caps: the chain
 * @cap: the capability; its id and version are taken, its next is not
 * @size: bytes of @cap
 *
 * Context: Process context, may sleep.
 * Return: 0, or what vfio_info_cap_add() gave; then the chain is freed.
 */
int vfio_info_add_capability(struct vfio_info_cap *caps,
			     struct vfio_info_cap_header *cap, size_t size)
{
	struct vfio_info_cap_header *added;

	added = vfio_info_cap_add(caps, size, cap->id, cap->version);
	if (IS_ERR(added))
		return PTR_ERR(added);

	memcpy(added + 1, cap + 1, size - sizeof(*cap));
	return 0;
}
EXPORT_SYMBOL(vfio_info_add_capability);

/**
 * vfio_info_reply() - Give a struct with its capabilities to user space
 * @uarg: the user's struct
 * @info: the reply, begins with the argsz that the user gave; changed
 * @size: size of @info in bytes, a multiple of 8 where there are capabilities
 * @cap_offset: the member of @info that says where the chain begins
 * @caps: the chain, stays the caller's; NULL or empty for none
 *
 * Where the chain does not fit, argsz says how much room would do, and
 * cap_offset stays 0. The flag that there are capabilities is the caller's.
 *
 * Context: Any context that may fault user pages; no lock that a fault needs.
 * Return: 0, or -EFAULT.
 */
int vfio_info_reply(void __user *uarg, void *info, size_t size,
		    u32 *cap_offset, struct vfio_info_cap *caps)
{
	u32 *argsz = info;
	size_t room = *argsz;

	if (caps && caps->size) {
		size_t need = size + caps->size;

		if (room < need) {
			*argsz = need;
			*cap_offset = 0;
		} else {
			vfio_info_cap_shift(caps, size);
			if (copy_to_user(uarg + size, caps->buf, caps->size))
				return -EFAULT;
			*cap_offset = size;
		}
	}

	return copy_to_user(uarg, info, min(room, size)) ? -EFAULT : 0;
}
EXPORT_SYMBOL_GPL(vfio_info_reply);
