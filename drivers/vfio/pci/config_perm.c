// SPDX-License-Identifier: GPL-2.0-only
/*
 * What users may see and change of each register, as constant tables.
 *
 * A rule describes a kind of capability. Its rows name the dwords that are
 * more than read-only; the ID and the pointer to the next capability need no
 * row, for config_map.c makes them virtual in all. A register is left to the
 * hardware where the user can harm only the device with it. It is virtual
 * where the host's own setting must stand, and trapped where a write of the
 * user has to become a call into the kernel.
 *
 * Kinds that have no rule are hidden, and so is every kind that is newer than
 * these tables. A rule that is itself hidden gives the length over which
 * writes are dropped, so that registers which concern the host or the fabric
 * stay out of reach of a user who knows their place without finding them.
 */
#include <linux/array_size.h>
#include <linux/bitops.h>
#include <linux/ioport.h>
#include <linux/nospec.h>
#include <linux/wordpart.h>

#include "config.h"

#define ALL_BITS		(~0U)
#define UPPER_WORD(bits)	((u32)(bits) << 16)

/* The header */

static const struct vfio_pci_perm header_perms[] = {
	/* The IDs of a VF are found in its PF only */
	{ .dword = PCI_VENDOR_ID / 4, .virt = ALL_BITS },
	{
		.dword = PCI_COMMAND / 4,
		.trap = VFIO_PCI_TRAP_COMMAND,
		.virt = PCI_COMMAND_INTX_DISABLE |
			UPPER_WORD(PCI_STATUS_CAP_LIST),
		.write = 0xffff,
		.zero = PCI_COMMAND_INTX_DISABLE,
	},
	/* Cache line size, latency timer and BIST, but not the header type */
	{ .dword = PCI_CACHE_LINE_SIZE / 4, .write = 0xff00ffff },
	/* What can be written of BARs and ROM is their size, known at open */
	{ .dword = PCI_BASE_ADDRESS_0 / 4, .virt = ALL_BITS },
	{ .dword = PCI_BASE_ADDRESS_1 / 4, .virt = ALL_BITS },
	{ .dword = PCI_BASE_ADDRESS_2 / 4, .virt = ALL_BITS },
	{ .dword = PCI_BASE_ADDRESS_3 / 4, .virt = ALL_BITS },
	{ .dword = PCI_BASE_ADDRESS_4 / 4, .virt = ALL_BITS },
	{ .dword = PCI_BASE_ADDRESS_5 / 4, .virt = ALL_BITS },
	{ .dword = PCI_ROM_ADDRESS / 4, .virt = ALL_BITS },
	{ .dword = PCI_CAPABILITY_LIST / 4, .virt = 0xff },
	/* The line is the user's scratch register, the pin our statement */
	{ .dword = PCI_INTERRUPT_LINE / 4, .virt = 0xffff, .write = 0xff },
};

const struct vfio_pci_cap_rule vfio_pci_header_rule = {
	.len = PCI_STD_HEADER_SIZEOF,
	.perms = header_perms,
	.nr_perms = ARRAY_SIZE(header_perms),
};

/* Standard capabilities */

/* Wake-up is the host's: no user program could be woken by it */
static const struct vfio_pci_perm pm_perms[] = {
	{
		.dword = 0,
		.virt = UPPER_WORD(PCI_PM_CAP_PME_MASK),
		.zero = UPPER_WORD(PCI_PM_CAP_PME_MASK),
	},
	{
		.dword = PCI_PM_CTRL / 4,
		.trap = VFIO_PCI_TRAP_PM,
		.virt = PCI_PM_CTRL_PME_ENABLE | PCI_PM_CTRL_PME_STATUS,
		.write = PCI_PM_CTRL_STATE_MASK | PCI_PM_CTRL_DATA_SEL_MASK,
		.zero = PCI_PM_CTRL_PME_ENABLE | PCI_PM_CTRL_PME_STATUS,
	},
};

/* Address and data are a mailbox to the kernel's own VPD access */
static const struct vfio_pci_perm vpd_perms[] = {
	{
		.dword = 0,
		.trap = VFIO_PCI_TRAP_VPD,
		.virt = UPPER_WORD(0xffff),
		.write = UPPER_WORD(0xffff),
		.zero = UPPER_WORD(0xffff),
	},
	{
		.dword = PCI_VPD_DATA / 4,
		.virt = ALL_BITS,
		.write = ALL_BITS,
		.zero = ALL_BITS,
	},
};

/*
 * The kernel writes the device's message; address and data are the user's
 * notes. Mask bits go to the hardware, pending bits come from there.
 */
#define MSI_FLAGS_VIRT	UPPER_WORD(0xff)
#define MSI_FLAGS_WRITE	UPPER_WORD(PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE)
#define MSI_FLAGS_ZERO	UPPER_WORD(PCI_MSI_FLAGS_ENABLE)

static const struct vfio_pci_perm msi_32_perms[] = {
	{
		.dword = 0,
		.trap = VFIO_PCI_TRAP_MSI,
		.virt = MSI_FLAGS_VIRT,
		.write = MSI_FLAGS_WRITE,
		.zero = MSI_FLAGS_ZERO,
	},
	{
		.dword = PCI_MSI_ADDRESS_LO / 4,
		.virt = ALL_BITS,
		.write = ALL_BITS,
	},
	{ .dword = PCI_MSI_DATA_32 / 4, .virt = 0xffff, .write = 0xffff },
	{ .dword = PCI_MSI_MASK_32 / 4, .write = ALL_BITS },
};

static const struct vfio_pci_perm msi_64_perms[] = {
	{
		.dword = 0,
		.trap = VFIO_PCI_TRAP_MSI,
		.virt = MSI_FLAGS_VIRT,
		.write = MSI_FLAGS_WRITE,
		.zero = MSI_FLAGS_ZERO,
	},
	{
		.dword = PCI_MSI_ADDRESS_LO / 4,
		.virt = ALL_BITS,
		.write = ALL_BITS,
	},
	{
		.dword = PCI_MSI_ADDRESS_HI / 4,
		.virt = ALL_BITS,
		.write = ALL_BITS,
	},
	{ .dword = PCI_MSI_DATA_64 / 4, .virt = 0xffff, .write = 0xffff },
	{ .dword = PCI_MSI_MASK_64 / 4, .write = ALL_BITS },
};

/* [64-bit addresses][mask bits]; without the latter the length ends before */
static const struct vfio_pci_cap_rule msi_rules[2][2] = {
	{
		{
			.len = PCI_MSI_DATA_32 + 2, .min = 4,
			.flags = VFIO_PCI_CAP_SINGLE,
			.perms = msi_32_perms,
			.nr_perms = ARRAY_SIZE(msi_32_perms),
		}, {
			.len = PCI_MSI_PENDING_32 + 4, .min = 4,
			.flags = VFIO_PCI_CAP_SINGLE,
			.perms = msi_32_perms,
			.nr_perms = ARRAY_SIZE(msi_32_perms),
		},
	}, {
		{
			.len = PCI_MSI_DATA_64 + 2, .min = 4,
			.flags = VFIO_PCI_CAP_SINGLE,
			.perms = msi_64_perms,
			.nr_perms = ARRAY_SIZE(msi_64_perms),
		}, {
			.len = PCI_MSI_PENDING_64 + 4, .min = 4,
			.flags = VFIO_PCI_CAP_SINGLE,
			.perms = msi_64_perms,
			.nr_perms = ARRAY_SIZE(msi_64_perms),
		},
	},
};

static const struct vfio_pci_cap_rule *msi_layout(u32 first)
{
	u16 flags = first >> 16;

	return &msi_rules[!!(flags & PCI_MSI_FLAGS_64BIT)]
			 [!!(flags & PCI_MSI_FLAGS_MASKBIT)];
}

static const struct vfio_pci_perm pcix_perms[] = {
	{ .dword = 0, .write = UPPER_WORD(0xffff) },
	{ .dword = PCI_X_ECC_CSR / 4, .write = ALL_BITS },
};

/*
 * Payload and read request size must fit the fabric, which is the host's to
 * know. A reset goes through the kernel, which saves and restores what the
 * reset would lose. Phantom functions would send requests under IDs that the
 * IOMMU knows nothing of; ARI forwarding changes whom requests reach.
 */
static const struct vfio_pci_perm exp_perms[] = {
	{
		.dword = PCI_EXP_DEVCTL / 4,
		.trap = VFIO_PCI_TRAP_EXP,
		.virt = PCI_EXP_DEVCTL_BCR_FLR | PCI_EXP_DEVCTL_PAYLOAD |
			PCI_EXP_DEVCTL_READRQ,
		.write = 0xffff & ~PCI_EXP_DEVCTL_PHANTOM,
		.zero = PCI_EXP_DEVCTL_BCR_FLR,
	},
	{
		.dword = PCI_EXP_DEVCTL2 / 4,
		.write = 0xffff & ~PCI_EXP_DEVCTL2_ARI,
	},
};

static const struct vfio_pci_perm af_perms[] = {
	{
		.dword = PCI_AF_CTRL / 4,
		.trap = VFIO_PCI_TRAP_AF,
		.virt = PCI_AF_CTRL_FLR,
		.write = PCI_AF_CTRL_FLR,
		.zero = PCI_AF_CTRL_FLR,
	},
};

static const struct vfio_pci_cap_rule cap_rules[] = {
	[PCI_CAP_ID_PM] = {
		.len = PCI_PM_SIZEOF, .min = PCI_PM_SIZEOF,
		.flags = VFIO_PCI_CAP_SINGLE,
		.perms = pm_perms,
		.nr_perms = ARRAY_SIZE(pm_perms),
	},
	[PCI_CAP_ID_AGP] = { .len = PCI_AGP_SIZEOF },
	[PCI_CAP_ID_VPD] = {
		.len = PCI_CAP_VPD_SIZEOF, .min = PCI_CAP_VPD_SIZEOF,
		.flags = VFIO_PCI_CAP_SINGLE,
		.perms = vpd_perms,
		.nr_perms = ARRAY_SIZE(vpd_perms),
	},
	[PCI_CAP_ID_SLOTID] = { .len = 4, .flags = VFIO_PCI_CAP_HIDDEN },
	[PCI_CAP_ID_MSI] = { .layout = msi_layout },
	[PCI_CAP_ID_CHSWP] = { .len = 4, .flags = VFIO_PCI_CAP_HIDDEN },
	[PCI_CAP_ID_PCIX] = {
		.measure = vfio_pci_pcix_len, .min = PCI_CAP_PCIX_SIZEOF_V0,
		.flags = VFIO_PCI_CAP_SINGLE,
		.perms = pcix_perms,
		.nr_perms = ARRAY_SIZE(pcix_perms),
	},
	[PCI_CAP_ID_HT] = { .measure = vfio_pci_ht_len },
	[PCI_CAP_ID_VNDR] = {
		.len = 3, .measure = vfio_pci_vndr_len,
		.flags = VFIO_PCI_CAP_RAW,
	},
	[PCI_CAP_ID_DBG] = { .len = 4, .flags = VFIO_PCI_CAP_HIDDEN },
	[PCI_CAP_ID_SHPC] = { .len = 8, .flags = VFIO_PCI_CAP_HIDDEN },
	[PCI_CAP_ID_SSVID] = { .len = 8, .flags = VFIO_PCI_CAP_HIDDEN },
	[PCI_CAP_ID_EXP] = {
		.measure = vfio_pci_exp_len,
		.min = PCI_CAP_EXP_RC_ENDPOINT_SIZEOF_V1,
		.flags = VFIO_PCI_CAP_SINGLE,
		.perms = exp_perms,
		.nr_perms = ARRAY_SIZE(exp_perms),
	},
	[PCI_CAP_ID_MSIX] = {
		.len = PCI_CAP_MSIX_SIZEOF, .min = PCI_CAP_MSIX_SIZEOF,
		.flags = VFIO_PCI_CAP_SINGLE,
	},
	[PCI_CAP_ID_SATA] = { .measure = vfio_pci_sata_len },
	[PCI_CAP_ID_AF] = {
		.len = PCI_CAP_AF_SIZEOF, .min = PCI_CAP_AF_SIZEOF,
		.flags = VFIO_PCI_CAP_SINGLE,
		.perms = af_perms,
		.nr_perms = ARRAY_SIZE(af_perms),
	},
	/* Entries may be writable, and then they move what the BARs decode */
	[PCI_CAP_ID_EA] = {
		.measure = vfio_pci_ea_len, .flags = VFIO_PCI_CAP_HIDDEN,
	},
};

/* Extended capabilities */

/* Whole registers, because writing a one clears a status bit */
static const struct vfio_pci_perm aer_perms[] = {
	{ .dword = PCI_ERR_UNCOR_STATUS / 4, .write = ALL_BITS },
	{ .dword = PCI_ERR_UNCOR_MASK / 4, .write = ALL_BITS },
	{ .dword = PCI_ERR_UNCOR_SEVER / 4, .write = ALL_BITS },
	{ .dword = PCI_ERR_COR_STATUS / 4, .write = ALL_BITS },
	{ .dword = PCI_ERR_COR_MASK / 4, .write = ALL_BITS },
	{
		.dword = PCI_ERR_CAP / 4,
		.write = PCI_ERR_CAP_ECRC_GENE | PCI_ERR_CAP_ECRC_CHKE,
	},
};

static const struct vfio_pci_perm pwr_perms[] = {
	{ .dword = PCI_PWR_DSR / 4, .write = 0xff },
};

static const struct vfio_pci_cap_rule ext_cap_rules[] = {
	[PCI_EXT_CAP_ID_ERR] = {
		.len = PCI_ERR_ROOT_COMMAND,
		.perms = aer_perms,
		.nr_perms = ARRAY_SIZE(aer_perms),
	},
	[PCI_EXT_CAP_ID_VC] = { .measure = vfio_pci_vc_len },
	[PCI_EXT_CAP_ID_DSN] = { .len = PCI_EXT_CAP_DSN_SIZEOF },
	[PCI_EXT_CAP_ID_PWR] = {
		.len = PCI_EXT_CAP_PWR_SIZEOF,
		.perms = pwr_perms,
		.nr_perms = ARRAY_SIZE(pwr_perms),
	},
	[PCI_EXT_CAP_ID_MFVC] = { .measure = vfio_pci_vc_len },
	[PCI_EXT_CAP_ID_VC9] = { .measure = vfio_pci_vc_len },
	[PCI_EXT_CAP_ID_VNDR] = {
		.len = 8, .measure = vfio_pci_vsec_len,
		.flags = VFIO_PCI_CAP_RAW,
	},
	[PCI_EXT_CAP_ID_ACS] = { .measure = vfio_pci_acs_len },
	[PCI_EXT_CAP_ID_ARI] = { .len = PCI_EXT_CAP_ARI_SIZEOF },
	[PCI_EXT_CAP_ID_ATS] = { .len = PCI_EXT_CAP_ATS_SIZEOF },
	[PCI_EXT_CAP_ID_SRIOV] = { .len = PCI_EXT_CAP_SRIOV_SIZEOF },
	[PCI_EXT_CAP_ID_MCAST] = { .len = PCI_EXT_CAP_MCAST_ENDPOINT_SIZEOF },
	[PCI_EXT_CAP_ID_PRI] = { .len = PCI_EXT_CAP_PRI_SIZEOF },
	[PCI_EXT_CAP_ID_REBAR] = { .measure = vfio_pci_rebar_len },
	[PCI_EXT_CAP_ID_DPA] = { .measure = vfio_pci_dpa_len },
	[PCI_EXT_CAP_ID_TPH] = { .measure = vfio_pci_tph_len },
	[PCI_EXT_CAP_ID_LTR] = { .len = PCI_EXT_CAP_LTR_SIZEOF },
	[PCI_EXT_CAP_ID_PASID] = {
		.len = PCI_EXT_CAP_PASID_SIZEOF, .flags = VFIO_PCI_CAP_HIDDEN,
	},
	[PCI_EXT_CAP_ID_L1SS] = {
		.len = PCI_L1SS_CTL2 + 4, .flags = VFIO_PCI_CAP_HIDDEN,
	},
	[PCI_EXT_CAP_ID_PTM] = {
		.len = PCI_PTM_CTRL + 4, .flags = VFIO_PCI_CAP_HIDDEN,
	},
	[PCI_EXT_CAP_ID_DVSEC] = {
		.len = 8, .measure = vfio_pci_vsec_len,
		.flags = VFIO_PCI_CAP_RAW,
	},
	[PCI_EXT_CAP_ID_NPEM] = {
		.len = PCI_NPEM_STATUS + 4, .flags = VFIO_PCI_CAP_HIDDEN,
	},
	[PCI_EXT_CAP_ID_DOE] = {
		.len = PCI_DOE_CAP_SIZEOF, .flags = VFIO_PCI_CAP_HIDDEN,
	},
};

/* IDs come from the device, so they are data until they have been looked up */
static const struct vfio_pci_cap_rule *
find_rule(const struct vfio_pci_cap_rule *rules, unsigned int nr,
	  unsigned int id)
{
	const struct vfio_pci_cap_rule *rule;

	if (id >= nr)
		return NULL;
	rule = &rules[array_index_nospec(id, nr)];
	return rule->len || rule->measure || rule->layout ? rule : NULL;
}

/**
 * vfio_pci_cap_rule() - How to show a standard capability
 * @id: its ID
 * @first: its first dword, which may choose between layouts
 *
 * Return: the rule, or NULL for a kind that is hidden and of unknown length
 */
const struct vfio_pci_cap_rule *vfio_pci_cap_rule(unsigned int id, u32 first)
{
	const struct vfio_pci_cap_rule *rule;

	rule = find_rule(cap_rules, ARRAY_SIZE(cap_rules), id);
	return rule && rule->layout ? rule->layout(first) : rule;
}

/**
 * vfio_pci_ext_cap_rule() - How to show an extended capability
 * @id: its ID
 *
 * Return: the rule, or NULL for a kind that is hidden and of unknown length
 */
const struct vfio_pci_cap_rule *vfio_pci_ext_cap_rule(unsigned int id)
{
	return find_rule(ext_cap_rules, ARRAY_SIZE(ext_cap_rules), id);
}

/**
 * vfio_pci_bar_perms() - What may be written of a BAR, and what it always reads
 * @size: bytes that the BAR decodes, 0 for a BAR that is not there
 * @flags: IORESOURCE_*
 * @write: filled with the writable bits of the BAR and of its upper half
 * @fixed: filled with the bits that read as one in both
 *
 * This is how a BAR tells its size: address bits below it cannot be set.
 */
void vfio_pci_bar_perms(u64 size, unsigned long flags, u32 write[2],
			u32 fixed[2])
{
	unsigned int order = size ? fls64(size - 1) : 64;
	u64 address = order < 64 ? GENMASK_ULL(63, order) : 0;

	write[1] = 0;
	fixed[0] = 0;
	fixed[1] = 0;

	if (!size) {
		write[0] = 0;
	} else if (flags & IORESOURCE_IO) {
		write[0] = address & PCI_BASE_ADDRESS_IO_MASK;
		fixed[0] = PCI_BASE_ADDRESS_SPACE_IO;
	} else {
		write[0] = address & PCI_BASE_ADDRESS_MEM_MASK;
		if (flags & IORESOURCE_PREFETCH)
			fixed[0] |= PCI_BASE_ADDRESS_MEM_PREFETCH;
		if (flags & IORESOURCE_MEM_64) {
			fixed[0] |= PCI_BASE_ADDRESS_MEM_TYPE_64;
			write[1] = upper_32_bits(address);
		}
	}
}
