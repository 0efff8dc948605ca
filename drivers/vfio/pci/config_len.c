// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long each capability of varying length says it is.
 *
 * These functions ask a device that may lie. They read nothing at or past
 * @limit, where the config space or its standard part ends; what they answer
 * is a claim that config_map.c clips to the room there is.
 */
#include <linux/bitfield.h>
#include <linux/math.h>
#include <linux/minmax.h>

#include "config.h"

static u32 read_dword(const struct vfio_pci_config_io *io, unsigned int pos,
		      unsigned int limit)
{
	u32 val;

	if (pos + sizeof(u32) > limit)
		return 0;
	io->read(io, pos, sizeof(u32), &val);
	return val;
}

/* The word that shares the first dword with a standard capability's header */
static u16 first_word(const struct vfio_pci_config_io *io, unsigned int pos,
		      unsigned int limit)
{
	return read_dword(io, pos, limit) >> 16;
}

unsigned int vfio_pci_pcix_len(const struct vfio_pci_config_io *io,
			       unsigned int pos, unsigned int limit)
{
	if (PCI_X_CMD_VERSION(first_word(io, pos, limit)))
		return PCI_CAP_PCIX_SIZEOF_V1;
	return PCI_CAP_PCIX_SIZEOF_V0;
}

unsigned int vfio_pci_ht_len(const struct vfio_pci_config_io *io,
			     unsigned int pos, unsigned int limit)
{
	u16 word = first_word(io, pos, limit);
	u8 type = word >> 8;

	switch (type & HT_3BIT_CAP_MASK) {
	case HT_CAPTYPE_SLAVE:
		return HT_CAP_SIZEOF_LONG;
	case HT_CAPTYPE_HOST:
		return HT_CAP_SIZEOF_SHORT;
	}

	switch (type & HT_5BIT_CAP_MASK) {
	case HT_CAPTYPE_IRQ:
	case HT_CAPTYPE_EXTCONF:
	case HT_CAPTYPE_ERROR_RETRY:
		return 8;
	case HT_CAPTYPE_UNITID_CLUMP:
		return 12;
	case HT_CAPTYPE_MSI_MAPPING:
		/* A fixed mapping has no address registers */
		return word & HT_MSI_FLAGS_FIXED ? 4 : 12;
	}
	return PCI_CAP_SIZEOF;
}

unsigned int vfio_pci_vndr_len(const struct vfio_pci_config_io *io,
			       unsigned int pos, unsigned int limit)
{
	return first_word(io, pos, limit) & 0xff;
}

unsigned int vfio_pci_exp_len(const struct vfio_pci_config_io *io,
			      unsigned int pos, unsigned int limit)
{
	u16 flags = first_word(io, pos, limit);
	bool in_root_complex;

	/* What sits in the root complex has no link to describe */
	switch (FIELD_GET(PCI_EXP_FLAGS_TYPE, flags)) {
	case PCI_EXP_TYPE_RC_END:
	case PCI_EXP_TYPE_RC_EC:
		in_root_complex = true;
		break;
	default:
		in_root_complex = false;
	}

	if (FIELD_GET(PCI_EXP_FLAGS_VERS, flags) < 2)
		return in_root_complex ? PCI_CAP_EXP_RC_ENDPOINT_SIZEOF_V1 :
					 PCI_CAP_EXP_ENDPOINT_SIZEOF_V1;
	return in_root_complex ? PCI_CAP_EXP_RC_ENDPOINT_SIZEOF_V2 :
				 PCI_CAP_EXP_ENDPOINT_SIZEOF_V2;
}

unsigned int vfio_pci_sata_len(const struct vfio_pci_config_io *io,
			       unsigned int pos, unsigned int limit)
{
	u32 regs = read_dword(io, pos + PCI_SATA_REGS, limit);

	if ((regs & PCI_SATA_REGS_MASK) == PCI_SATA_REGS_INLINE)
		return PCI_SATA_SIZEOF_LONG;
	return PCI_SATA_SIZEOF_SHORT;
}

unsigned int vfio_pci_ea_len(const struct vfio_pci_config_io *io,
			     unsigned int pos, unsigned int limit)
{
	unsigned int left = first_word(io, pos, limit) & PCI_EA_NUM_ENT_MASK;
	unsigned int at = pos + PCI_EA_FIRST_ENT;

	/* An entry is one dword and as many more as it says */
	for (; left && at < limit; left--)
		at += 4 + 4 * (read_dword(io, at, limit) & PCI_EA_ES);
	return at - pos;
}

/* Where an arbitration table of a virtual channel ends, from its capability */
static unsigned int arb_table_end(unsigned int offset, unsigned int phases,
				  unsigned int bits_per_phase)
{
	/* The offset counts units of 16 bytes; 0 says that there is no table */
	return offset ? 16 * offset + phases * bits_per_phase / 8 : 0;
}

static unsigned int vc_phases(u32 cap)
{
	if (cap & PCI_VC_CAP2_128_PHASE)
		return 128;
	if (cap & PCI_VC_CAP2_64_PHASE)
		return 64;
	return cap & PCI_VC_CAP2_32_PHASE ? 32 : 0;
}

unsigned int vfio_pci_vc_len(const struct vfio_pci_config_io *io,
			     unsigned int pos, unsigned int limit)
{
	u32 cap1 = read_dword(io, pos + PCI_VC_PORT_CAP1, limit);
	u32 cap2 = read_dword(io, pos + PCI_VC_PORT_CAP2, limit);
	unsigned int channels = 1 + FIELD_GET(PCI_VC_CAP1_EVCC, cap1);
	unsigned int entry_bits = 1 << FIELD_GET(PCI_VC_CAP1_ARB_SIZE, cap1);
	unsigned int len, i;

	len = PCI_CAP_VC_BASE_SIZEOF + channels * PCI_CAP_VC_PER_VC_SIZEOF;
	len = max(len, arb_table_end(FIELD_GET(PCI_VC_CAP2_ARB_OFF, cap2),
				     vc_phases(cap2), 4));

	for (i = 0; i < channels; i++) {
		u32 cap = read_dword(io, pos + PCI_VC_RES_CAP +
				     i * PCI_CAP_VC_PER_VC_SIZEOF, limit);
		unsigned int phases = vc_phases(cap);

		if (cap & PCI_VC_RES_CAP_256_PHASE)
			phases = 256;
		else if (cap & PCI_VC_RES_CAP_128_PHASE_TB)
			phases = 128;
		len = max(len, arb_table_end(FIELD_GET(PCI_VC_RES_CAP_ARB_OFF,
						       cap),
					     phases, entry_bits));
	}
	return len;
}

/* VNDR and DVSEC keep their length in the same place */
unsigned int vfio_pci_vsec_len(const struct vfio_pci_config_io *io,
			       unsigned int pos, unsigned int limit)
{
	static_assert(PCI_VNDR_HEADER == PCI_DVSEC_HEADER1);

	return PCI_VNDR_HEADER_LEN(read_dword(io, pos + PCI_VNDR_HEADER,
					      limit));
}

unsigned int vfio_pci_acs_len(const struct vfio_pci_config_io *io,
			      unsigned int pos, unsigned int limit)
{
	u32 cap = read_dword(io, pos + PCI_ACS_CAP, limit);
	unsigned int bits = (cap >> 8) & 0xff;

	if (!(cap & PCI_ACS_EC))
		return PCI_ACS_EGRESS_CTL_V;
	/* The count is a byte, in which 0 means 256 */
	return PCI_ACS_EGRESS_CTL_V + 4 * DIV_ROUND_UP(bits ?: 256, 32);
}

unsigned int vfio_pci_rebar_len(const struct vfio_pci_config_io *io,
				unsigned int pos, unsigned int limit)
{
	u32 ctrl = read_dword(io, pos + PCI_REBAR_CTRL, limit);

	return 4 + 8 * FIELD_GET(PCI_REBAR_CTRL_NBAR_MASK, ctrl);
}

unsigned int vfio_pci_dpa_len(const struct vfio_pci_config_io *io,
			      unsigned int pos, unsigned int limit)
{
	u32 cap = read_dword(io, pos + PCI_DPA_CAP, limit);

	return PCI_DPA_BASE_SIZEOF + (cap & PCI_DPA_CAP_SUBSTATE_MASK) + 1;
}

unsigned int vfio_pci_tph_len(const struct vfio_pci_config_io *io,
			      unsigned int pos, unsigned int limit)
{
	u32 cap = read_dword(io, pos + PCI_TPH_CAP, limit);

	if ((cap & PCI_TPH_CAP_LOC_MASK) != PCI_TPH_LOC_CAP)
		return PCI_TPH_BASE_SIZEOF;
	return PCI_TPH_BASE_SIZEOF + 2 * (1 + FIELD_GET(PCI_TPH_CAP_ST_MASK, cap));
}
