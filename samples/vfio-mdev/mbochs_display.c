// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device model of mbochs: the registers of QEMU's "bochs-display", which the
 * guest's bochs driver knows.
 *
 * The guest writes size, depth and place of the picture to 16-bit registers, one
 * after the other; whether all of it makes sense is looked at when somebody wants
 * to see the picture. The monitor's EDID is at the beginning of the registers,
 * where the user plugged one in by a region that the guest does not see.
 *
 * This file knows nothing of VFIO but the layout of that region.
 */
#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/overflow.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "mbochs.h"

/* Registers at MBOCHS_DISPI, two bytes each. */
enum dispi {
	DISPI_ID,
	DISPI_XRES,
	DISPI_YRES,
	DISPI_BPP,
	DISPI_ENABLE,
	DISPI_BANK,
	DISPI_VIRT_WIDTH,
	DISPI_VIRT_HEIGHT,
	DISPI_X_OFFSET,
	DISPI_Y_OFFSET,
	DISPI_MEMORY_64K,
};

static_assert(DISPI_MEMORY_64K + 1 == MBOCHS_DISPI_COUNT);

#define DISPI_ID_VALUE		0xb0c5
#define DISPI_ENABLED		BIT(0)
#define BYTES_PER_PIXEL		4

void mbochs_display_reset(struct mbochs_display *display, u32 memory_size)
{
	memset(display, 0, sizeof(*display));
	display->dispi[DISPI_ID] = DISPI_ID_VALUE;
	display->dispi[DISPI_MEMORY_64K] = memory_size / SZ_64K;
	display->link_state = VFIO_DEVICE_GFX_LINK_STATE_DOWN;
}

/* --- Registers that the guest sees ------------------------------------------- */

static u8 read_byte(const struct mbochs_display *display, u32 offset)
{
	u32 at = offset - MBOCHS_DISPI;

	if (offset < display->edid_size &&
	    display->link_state == VFIO_DEVICE_GFX_LINK_STATE_UP)
		return display->edid[array_index_nospec(offset, MBOCHS_EDID_MAX)];
	if (offset >= MBOCHS_DISPI && at < sizeof(display->dispi)) {
		at = array_index_nospec(at, sizeof(display->dispi));
		return display->dispi[at / 2] >> 8 * (at % 2);
	}
	return 0;
}

u32 mbochs_display_read(const struct mbochs_display *display, u32 offset,
			unsigned int width)
{
	u32 value = 0;
	unsigned int i;

	for (i = 0; i < width; i++)
		value |= (u32)read_byte(display, offset + i) << 8 * i;
	return value;
}

static void write_dispi(struct mbochs_display *display, unsigned int index,
			u16 value)
{
	switch (index) {
	case DISPI_ID:
	case DISPI_MEMORY_64K:
		return;
	default:
		index = array_index_nospec(index, MBOCHS_DISPI_COUNT);
		display->dispi[index] = value;
	}
}

void mbochs_display_write(struct mbochs_display *display, u32 offset,
			  unsigned int width, u32 value)
{
	u32 at = offset - MBOCHS_DISPI;

	/* Whole registers only, as the hardware. */
	for (; width >= 2; width -= 2, at += 2, value >>= 16)
		if (at < sizeof(display->dispi))
			write_dispi(display, at / 2, value);
}

/* --- The region by which the user plugs a monitor in --------------------------- */

#define EDID_REG(member) offsetof(struct vfio_region_gfx_edid, member)

static_assert(sizeof(struct vfio_region_gfx_edid) <= MBOCHS_EDID_OFFSET);

static u32 edid_register(const struct mbochs_display *display, u32 offset)
{
	switch (offset) {
	case EDID_REG(edid_offset):
		return MBOCHS_EDID_OFFSET;
	case EDID_REG(edid_max_size):
		return MBOCHS_EDID_MAX;
	case EDID_REG(edid_size):
		return display->edid_size;
	case EDID_REG(link_state):
		return display->link_state;
	default:
		return 0;
	}
}

u32 mbochs_edid_read(const struct mbochs_display *display, u32 offset,
		     unsigned int width)
{
	u32 at = offset - MBOCHS_EDID_OFFSET, value = 0;
	unsigned int i;

	if (offset < MBOCHS_EDID_OFFSET)
		return edid_register(display, round_down(offset, 4)) >>
		       8 * (offset % 4);
	at = array_index_nospec(at, MBOCHS_EDID_MAX);
	for (i = 0; i < width; i++)
		value |= (u32)display->edid[at + i] << 8 * i;
	return value;
}

static int write_edid_register(struct mbochs_display *display, u32 offset,
			       u32 value)
{
	switch (offset) {
	case EDID_REG(edid_size):
		if (value > MBOCHS_EDID_MAX)
			return -EINVAL;
		display->edid_size = value;
		return 0;
	case EDID_REG(link_state):
		if (value != VFIO_DEVICE_GFX_LINK_STATE_UP &&
		    value != VFIO_DEVICE_GFX_LINK_STATE_DOWN)
			return -EINVAL;
		display->link_state = value;
		return 0;
	default:
		return -EINVAL;
	}
}

int mbochs_edid_write(struct mbochs_display *display, u32 offset,
		      unsigned int width, u32 value)
{
	u32 at = offset - MBOCHS_EDID_OFFSET;
	unsigned int i;

	if (offset < MBOCHS_EDID_OFFSET)
		return width == 4 ? write_edid_register(display, offset, value) :
				    -EINVAL;
	at = array_index_nospec(at, MBOCHS_EDID_MAX);
	for (i = 0; i < width; i++)
		display->edid[at + i] = value >> 8 * i;
	return 0;
}

/* --- The picture ------------------------------------------------------------------ */

/* All that is computed here are products of 16-bit values: 64 bits hold them. */
struct mbochs_mode mbochs_display_mode(const struct mbochs_display *display,
				       u32 memory_size)
{
	const u16 *dispi = display->dispi;
	struct mbochs_mode mode = {};
	u64 stride, start, size;

	if (!(dispi[DISPI_ENABLE] & DISPI_ENABLED) ||
	    dispi[DISPI_BPP] != 8 * BYTES_PER_PIXEL)
		return mode;

	stride = max(dispi[DISPI_VIRT_WIDTH], dispi[DISPI_XRES]) *
		 (u64)BYTES_PER_PIXEL;
	start = dispi[DISPI_Y_OFFSET] * stride +
		dispi[DISPI_X_OFFSET] * (u64)BYTES_PER_PIXEL;
	size = PAGE_ALIGN(dispi[DISPI_YRES] * stride);
	if (dispi[DISPI_XRES] < 64 || dispi[DISPI_YRES] < 64 ||
	    !PAGE_ALIGNED(start) || start + size > memory_size)
		return mode;

	mode.width = dispi[DISPI_XRES];
	mode.height = dispi[DISPI_YRES];
	mode.stride = stride;
	mode.start = start;
	mode.size = size;
	return mode;
}
