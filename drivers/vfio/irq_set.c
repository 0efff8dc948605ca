// SPDX-License-Identifier: GPL-2.0-only
/*
 * The checks of VFIO_DEVICE_SET_IRQS that are the same for every bus.
 */
#include <linux/bitops.h>
#include <linux/export.h>
#include <linux/overflow.h>
#include <linux/vfio.h>

#include "trace.h"

/* Bytes of payload for each interrupt, or -EINVAL: one data type exactly. */
static int irq_data_bytes(u32 flags)
{
	switch (flags & VFIO_IRQ_SET_DATA_TYPE_MASK) {
	case VFIO_IRQ_SET_DATA_NONE:
		return 0;
	case VFIO_IRQ_SET_DATA_BOOL:
		return sizeof(u8);
	case VFIO_IRQ_SET_DATA_EVENTFD:
		return sizeof(s32);
	default:
		return -EINVAL;
	}
}

static int check_irq_set(const struct vfio_irq_set *hdr, int num_irqs,
			 int max_irq_type, size_t *data_size)
{
	const u32 known = VFIO_IRQ_SET_DATA_TYPE_MASK |
			  VFIO_IRQ_SET_ACTION_TYPE_MASK;
	int each = irq_data_bytes(hdr->flags);
	size_t need;
	u32 end;

	if (hdr->argsz < sizeof(*hdr) || hdr->flags & ~known || each < 0)
		return -EINVAL;
	if (max_irq_type < 0 || hdr->index >= max_irq_type)
		return -EINVAL;
	if (check_add_overflow(hdr->start, hdr->count, &end) || end == U32_MAX)
		return -EINVAL;
	if (num_irqs < 0 || hdr->start >= num_irqs || end > num_irqs)
		return -EINVAL;
	/* end <= INT_MAX, so the product fits size_t only if checked on 32 bit */
	if (check_mul_overflow((size_t)hdr->count, (size_t)each, &need) ||
	    hdr->argsz - sizeof(*hdr) < need)
		return -EINVAL;

	*data_size = need;
	return 0;
}

/**
 * vfio_set_irqs_validate_and_prepare() - Check what a user asks of interrupts
 * @hdr: the header, in kernel memory
 * @num_irqs: interrupts that the device has at @hdr->index
 * @max_irq_type: number of indexes that the device has
 * @data_size: set to the bytes of payload behind the header, or NULL where
 *	payload is not wanted
 *
 * What is left to the driver: whether it implements the action, and reading
 * the payload.
 *
 * Context: Any.
 * Return: 0, or -EINVAL where argsz is too short for header or payload, an
 * unknown flag is set, not exactly one data type is given, the index does not
 * exist, or the range wraps or reaches past the last interrupt.
 */
int vfio_set_irqs_validate_and_prepare(struct vfio_irq_set *hdr, int num_irqs,
				       int max_irq_type, size_t *data_size)
{
	size_t need = 0;
	int ret;

	ret = check_irq_set(hdr, num_irqs, max_irq_type, &need);
	trace_vfio_set_irqs(hdr, ret);
	if (data_size)
		*data_size = need;
	else if (!ret && need)
		ret = -EINVAL;
	return ret;
}
EXPORT_SYMBOL(vfio_set_irqs_validate_and_prepare);
