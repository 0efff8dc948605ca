// SPDX-License-Identifier: GPL-2.0-only
/*
 * The registers of a PCI config space that do more than hold bits, on a device
 * whose bus is made up (P03, P04, P13, P31).
 */
#include <kunit/test.h>
#include <linux/pci.h>
#include <linux/prandom.h>
#include <linux/sizes.h>

#include "../pci/private.h"
#include "../pci/config.h"

#define DECODE	(PCI_COMMAND_IO | PCI_COMMAND_MEMORY)
#define PM_AT	0x40
#define MSI_AT	0x50
#define EXP_AT	0x70
#define VPD_AT	0xb0
#define AF_AT	0xc0

struct fake {
	struct vfio_pci_core_device vdev;
	struct pci_dev pdev;
	struct pci_bus bus;
	struct pci_host_bridge bridge;
	u8 cfg[PCI_CFG_SPACE_EXP_SIZE];
	u8 clear[PCI_CFG_SPACE_EXP_SIZE];	/* bits cleared by a one */
	unsigned int reads;
	unsigned int writes;
	struct kunit *test;
};

static int fake_read(struct pci_bus *bus, unsigned int devfn, int pos,
		     int size, u32 *val)
{
	struct fake *f = container_of(bus, struct fake, bus);
	int i;

	*val = 0;
	for (i = 0; i < size; i++)
		*val |= (u32)f->cfg[pos + i] << (8 * i);
	f->reads++;
	return PCIBIOS_SUCCESSFUL;
}

static int fake_write(struct pci_bus *bus, unsigned int devfn, int pos,
		      int size, u32 val)
{
	struct fake *f = container_of(bus, struct fake, bus);
	int i;

	for (i = 0; i < size; i++) {
		u8 byte = val >> (8 * i);
		u8 clear = f->clear[pos + i];

		f->cfg[pos + i] = (byte & ~clear) |
				  (f->cfg[pos + i] & ~byte & clear);
	}
	f->writes++;
	return PCIBIOS_SUCCESSFUL;
}

static struct pci_ops fake_ops = { .read = fake_read, .write = fake_write };

static u16 hw_word(struct fake *f, unsigned int pos)
{
	return get_unaligned_le16(&f->cfg[pos]);
}

static u32 hw_dword(struct fake *f, unsigned int pos)
{
	return get_unaligned_le32(&f->cfg[pos]);
}

static void put_cap(struct fake *f, u8 pos, u8 id, u8 next)
{
	f->cfg[pos] = id;
	f->cfg[pos + 1] = next;
}

/* A device with a BAR of 64 KiB, one of 1 GiB and 64 bits, and 32 I/O ports */
static struct fake *new_fake(struct kunit *test)
{
	struct fake *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	struct resource *res;

	KUNIT_ASSERT_NOT_NULL(test, f);
	f->test = test;
	f->bus.ops = &fake_ops;
	f->bus.bridge = &f->bridge.dev;
	f->pdev.bus = &f->bus;
	f->pdev.dev.init_name = "fake";
	f->pdev.cfg_size = sizeof(f->cfg);
	f->pdev.irq = 11;
	f->pdev.vendor = 0x1234;
	f->pdev.device = 0x5678;
	f->pdev.current_state = PCI_D0;
	res = f->pdev.resource;
	res[0] = DEFINE_RES_MEM(0xfe000000, SZ_64K);
	res[1] = DEFINE_RES_MEM(0x80000000, SZ_1G);
	res[1].flags |= IORESOURCE_MEM_64 | IORESOURCE_PREFETCH;
	res[3] = DEFINE_RES_IO(0xc000, 32);
	res[PCI_ROM_RESOURCE] = DEFINE_RES_MEM(0xfd000000, SZ_256K);

	put_unaligned_le32(0x56781234, &f->cfg[PCI_VENDOR_ID]);
	f->cfg[PCI_COMMAND] = DECODE;
	f->cfg[PCI_STATUS] = PCI_STATUS_CAP_LIST;
	f->cfg[PCI_STATUS + 1] = 0xf9;
	f->clear[PCI_STATUS + 1] = 0xf9;
	put_unaligned_le32(0xfe000000, &f->cfg[PCI_BASE_ADDRESS_0]);
	put_unaligned_le32(0x8000000c, &f->cfg[PCI_BASE_ADDRESS_1]);
	put_unaligned_le32(0x0000c001, &f->cfg[PCI_BASE_ADDRESS_3]);
	put_unaligned_le32(0xfd000000, &f->cfg[PCI_ROM_ADDRESS]);
	f->cfg[PCI_INTERRUPT_PIN] = 1;

	f->cfg[PCI_CAPABILITY_LIST] = PM_AT;
	put_cap(f, PM_AT, PCI_CAP_ID_PM, MSI_AT);
	put_unaligned_le16(0xc803, &f->cfg[PM_AT + PCI_PM_PMC]);
	put_unaligned_le16(PCI_PM_CTRL_PME_STATUS | PCI_PM_CTRL_PME_ENABLE,
			   &f->cfg[PM_AT + PCI_PM_CTRL]);
	f->clear[PM_AT + PCI_PM_CTRL + 1] = PCI_PM_CTRL_PME_STATUS >> 8;
	put_cap(f, MSI_AT, PCI_CAP_ID_MSI, EXP_AT);
	put_unaligned_le16(0x0186, &f->cfg[MSI_AT + PCI_MSI_FLAGS]);
	put_cap(f, EXP_AT, PCI_CAP_ID_EXP, VPD_AT);
	f->cfg[EXP_AT + PCI_EXP_FLAGS] = 2;
	put_unaligned_le16(0x2020, &f->cfg[EXP_AT + PCI_EXP_DEVCTL]);
	put_unaligned_le16(0x000f, &f->cfg[EXP_AT + PCI_EXP_DEVSTA]);
	f->clear[EXP_AT + PCI_EXP_DEVSTA] = 0x0f;
	f->pdev.pcie_cap = EXP_AT;
	f->pdev.pcie_flags_reg = 2;
	put_cap(f, VPD_AT, PCI_CAP_ID_VPD, AF_AT);
	put_cap(f, AF_AT, PCI_CAP_ID_AF, 0);

	f->vdev.pdev = &f->pdev;
	f->vdev.irq_type = VFIO_PCI_NUM_IRQS;
	init_rwsem(&f->vdev.memory_lock);
	mutex_init(&f->vdev.config_lock);
	mutex_init(&f->vdev.irq_lock);
	spin_lock_init(&f->vdev.intx.lock);
	return f;
}

static struct fake *open_fake(struct fake *f)
{
	KUNIT_ASSERT_EQ(f->test, 0, vfio_pci_config_open(&f->vdev));
	f->reads = 0;
	f->writes = 0;
	return f;
}

static void close_fake(struct fake *f)
{
	vfio_pci_config_close(&f->vdev);
}

static u32 rd(struct fake *f, unsigned int pos, unsigned int bytes)
{
	u8 buf[4] = {};

	KUNIT_EXPECT_EQ(f->test, 0, vfio_pci_config_block(&f->vdev, pos, buf,
							  bytes, false));
	return get_unaligned_le32(buf);
}

static void wr(struct fake *f, unsigned int pos, unsigned int bytes, u32 val)
{
	u8 buf[4];

	put_unaligned_le32(val, buf);
	KUNIT_EXPECT_EQ(f->test, 0, vfio_pci_config_block(&f->vdev, pos, buf,
							  bytes, true));
}

static bool memory_is_enabled(struct fake *f)
{
	guard(rwsem_read)(&f->vdev.memory_lock);
	return vfio_pci_memory_enabled(&f->vdev);
}

/* P03: the gate knows before the hardware does */
static void memory_enable_is_tracked(struct kunit *test)
{
	struct fake *f = open_fake(new_fake(test));

	KUNIT_EXPECT_TRUE(test, memory_is_enabled(f));
	wr(f, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
	KUNIT_EXPECT_FALSE(test, memory_is_enabled(f));
	KUNIT_EXPECT_EQ(test, hw_word(f, PCI_COMMAND), PCI_COMMAND_MASTER);

	wr(f, PCI_COMMAND, 1, DECODE);
	KUNIT_EXPECT_TRUE(test, memory_is_enabled(f));
	KUNIT_EXPECT_EQ(test, hw_word(f, PCI_COMMAND), DECODE);

	/* The other byte alone says nothing about memory */
	wr(f, PCI_COMMAND + 1, 1, 0);
	KUNIT_EXPECT_TRUE(test, memory_is_enabled(f));

	/* With the status register, which stays as it is */
	wr(f, PCI_COMMAND, 4, 0xffff0000);
	KUNIT_EXPECT_FALSE(test, memory_is_enabled(f));
	KUNIT_EXPECT_EQ(test, hw_word(f, PCI_STATUS), 0xf910);

	wr(f, PCI_COMMAND, 2, DECODE);
	f->pdev.current_state = PCI_D3hot;
	KUNIT_EXPECT_FALSE(test, memory_is_enabled(f));
	close_fake(f);
}

/* P04 */
static void a_vf_always_decodes_memory(struct kunit *test)
{
	struct fake *f = new_fake(test);

	f->pdev.is_virtfn = 1;
	f->pdev.no_command_memory = 1;
	f->vdev.nointx = true;
	f->cfg[PCI_COMMAND] = 0;
	put_unaligned_le32(0xffffffff, &f->cfg[PCI_VENDOR_ID]);
	memset(&f->cfg[PCI_BASE_ADDRESS_0], 0, 24);
	open_fake(f);

	KUNIT_EXPECT_EQ(test, rd(f, PCI_VENDOR_ID, 4), 0x56781234);
	KUNIT_EXPECT_EQ(test, rd(f, PCI_COMMAND, 2), PCI_COMMAND_MEMORY);
	KUNIT_EXPECT_EQ(test, rd(f, PCI_INTERRUPT_PIN, 1), 0);
	KUNIT_EXPECT_TRUE(test, memory_is_enabled(f));
	KUNIT_EXPECT_EQ(test, rd(f, PCI_BASE_ADDRESS_1, 4), 0xc);

	wr(f, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
	KUNIT_EXPECT_EQ(test, rd(f, PCI_COMMAND, 2), PCI_COMMAND_MASTER);
	KUNIT_EXPECT_TRUE(test, memory_is_enabled(f));
	wr(f, PCI_COMMAND, 2, DECODE);
	KUNIT_EXPECT_EQ(test, hw_word(f, PCI_COMMAND), PCI_COMMAND_IO);
	KUNIT_EXPECT_EQ(test, rd(f, PCI_COMMAND, 2), DECODE);
	close_fake(f);
}

static void disintx_is_virtual(struct kunit *test)
{
	struct fake *f = new_fake(test);

	/* Set in hardware, because no handler is installed */
	f->cfg[PCI_COMMAND + 1] = PCI_COMMAND_INTX_DISABLE >> 8;
	open_fake(f);

	KUNIT_EXPECT_EQ(test, rd(f, PCI_COMMAND, 2), DECODE);
	KUNIT_EXPECT_FALSE(test, f->vdev.virq_disabled);
	wr(f, PCI_COMMAND, 2, DECODE | PCI_COMMAND_SERR);
	KUNIT_EXPECT_EQ(test, hw_word(f, PCI_COMMAND),
			DECODE | PCI_COMMAND_SERR | PCI_COMMAND_INTX_DISABLE);
	KUNIT_EXPECT_EQ(test, rd(f, PCI_COMMAND, 2), DECODE | PCI_COMMAND_SERR);

	wr(f, PCI_COMMAND, 2, DECODE | PCI_COMMAND_INTX_DISABLE);
	KUNIT_EXPECT_TRUE(test, f->vdev.virq_disabled);
	KUNIT_EXPECT_EQ(test, rd(f, PCI_COMMAND, 2),
			DECODE | PCI_COMMAND_INTX_DISABLE);
	wr(f, PCI_COMMAND, 1, DECODE);
	KUNIT_EXPECT_TRUE(test, f->vdev.virq_disabled);
	wr(f, PCI_COMMAND + 1, 1, 0);
	KUNIT_EXPECT_FALSE(test, f->vdev.virq_disabled);
	KUNIT_EXPECT_EQ(test, hw_word(f, PCI_COMMAND),
			DECODE | PCI_COMMAND_INTX_DISABLE);
	close_fake(f);
}

/*
 * Many changes by everybody who may mask INTx, against a model of three flags:
 * the device is let through only while nobody wants it masked.
 */
static void intx_stays_masked_while_anybody_wants_it(struct kunit *test)
{
	bool is_masked = false, is_asleep = false, is_disabled = false;
	struct fake *f = open_fake(new_fake(test));
	struct vfio_pci_core_device *vdev = &f->vdev;
	u8 *status = &f->cfg[PCI_STATUS];
	struct rnd_state rnd;
	int i;

	prandom_seed_state(&rnd, 3);
	vdev->pci_2_3 = true;
	vdev->intx.live = true;
	vfio_pci_intx_sync(vdev);

	for (i = 0; i < 10000; i++) {
		bool is_asserted = *status & PCI_STATUS_INTERRUPT;

		switch (prandom_u32_state(&rnd) % 7) {
		case 0:
			*status ^= PCI_STATUS_INTERRUPT;
			break;
		case 1:
			vfio_pci_intx_suspend(vdev);
			is_asleep = true;
			break;
		case 2:
			vfio_pci_intx_resume(vdev);
			is_masked |= is_asleep && is_asserted;
			is_asleep = false;
			break;
		case 3:
			vfio_pci_intx_mask(vdev);
			is_masked = true;
			break;
		case 4:
			wr(f, PCI_COMMAND + 1, 1, PCI_COMMAND_INTX_DISABLE >> 8);
			is_disabled = true;
			is_masked = true;
			break;
		case 5:
			wr(f, PCI_COMMAND + 1, 1, 0);
			if (!is_disabled)
				break;
			is_disabled = false;
			is_masked = !is_asleep && is_asserted;
			break;
		default:
			vfio_pci_intx_unmask(vdev);
			if (!is_disabled)
				is_masked &= !is_asleep && is_asserted;
		}
		KUNIT_ASSERT_EQ(test, vdev->intx.masked, is_masked);
		KUNIT_ASSERT_EQ(test,
				!!(hw_word(f, PCI_COMMAND) & PCI_COMMAND_INTX_DISABLE),
				is_masked || is_asleep);
	}
	close_fake(f);
}

/* P31: the pin agrees with interrupt info, whatever the hardware says */
static void a_missing_intx_has_no_pin(struct kunit *test)
{
	struct fake *f = open_fake(new_fake(test));

	KUNIT_EXPECT_EQ(test, rd(f, PCI_INTERRUPT_PIN, 1), 1);
	wr(f, PCI_INTERRUPT_LINE, 2, 0x0377);
	KUNIT_EXPECT_EQ(test, rd(f, PCI_INTERRUPT_LINE, 2), 0x0177);
	KUNIT_EXPECT_EQ(test, hw_word(f, PCI_INTERRUPT_LINE), 0x0100);
	close_fake(f);

	f->vdev.nointx = true;
	open_fake(f);
	KUNIT_EXPECT_EQ(test, rd(f, PCI_INTERRUPT_PIN, 1), 0);
	close_fake(f);
}

static void bars_are_sized_without_the_hardware(struct kunit *test)
{
	static const struct {
		unsigned int pos;
		u32 first, ones;
	} bars[] = {
		{ PCI_BASE_ADDRESS_0, 0xfe000000, 0xffff0000 },
		{ PCI_BASE_ADDRESS_1, 0x8000000c, 0xc000000c },
		{ PCI_BASE_ADDRESS_2, 0x00000000, 0xffffffff },
		{ PCI_BASE_ADDRESS_3, 0x0000c001, 0xffffffe1 },
		{ PCI_BASE_ADDRESS_4, 0x00000000, 0x00000000 },
		{ PCI_BASE_ADDRESS_5, 0x00000000, 0x00000000 },
		{ PCI_ROM_ADDRESS, 0xfd000000, 0xfffc0001 },
	};
	struct fake *f = open_fake(new_fake(test));
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(bars); i++) {
		u32 hw = hw_dword(f, bars[i].pos);

		KUNIT_EXPECT_EQ_MSG(test, rd(f, bars[i].pos, 4), bars[i].first,
				    "BAR %u", i);
		wr(f, bars[i].pos, 4, 0xffffffff);
		KUNIT_EXPECT_EQ_MSG(test, rd(f, bars[i].pos, 4), bars[i].ones,
				    "BAR %u", i);
		wr(f, bars[i].pos, 4, 0);
		for (j = 0; j < 4; j++)
			wr(f, bars[i].pos + j, 1, 0xff);
		KUNIT_EXPECT_EQ_MSG(test, rd(f, bars[i].pos, 4), bars[i].ones,
				    "BAR %u by bytes", i);
		KUNIT_EXPECT_EQ_MSG(test, hw_dword(f, bars[i].pos), hw, "BAR %u",
				    i);
	}
	KUNIT_EXPECT_EQ(test, f->reads, 0);
	KUNIT_EXPECT_EQ(test, f->writes, 0);
	close_fake(f);
}

static void bars_come_back_after_a_backdoor_reset(struct kunit *test)
{
	struct fake *f = open_fake(new_fake(test));

	wr(f, PCI_BASE_ADDRESS_0, 4, 0x12340000);
	memset(&f->cfg[PCI_BASE_ADDRESS_0], 0, 24);
	put_unaligned_le16(0, &f->cfg[PCI_COMMAND]);

	/* Not before the user wants them decoded */
	wr(f, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
	KUNIT_EXPECT_EQ(test, hw_dword(f, PCI_BASE_ADDRESS_0), 0);
	wr(f, PCI_COMMAND, 2, DECODE);
	KUNIT_EXPECT_EQ(test, hw_dword(f, PCI_BASE_ADDRESS_0), 0xfe000000);
	KUNIT_EXPECT_EQ(test, hw_dword(f, PCI_BASE_ADDRESS_1), 0x8000000c);
	KUNIT_EXPECT_EQ(test, hw_dword(f, PCI_BASE_ADDRESS_3), 0x0000c001);
	KUNIT_EXPECT_EQ(test, hw_word(f, PCI_COMMAND) & 0xff, DECODE);
	KUNIT_EXPECT_EQ(test, rd(f, PCI_BASE_ADDRESS_0, 4), 0x12340000);

	/* That the kernel reads the ROM is no reset */
	f->cfg[PCI_ROM_ADDRESS] = PCI_ROM_ADDRESS_ENABLE;
	f->writes = 0;
	wr(f, PCI_COMMAND, 1, DECODE);
	KUNIT_EXPECT_EQ(test, f->writes, 1);
	close_fake(f);
}

static void memory_is_forced_on_and_restored(struct kunit *test)
{
	struct fake *f = open_fake(new_fake(test));
	u16 cmd;

	wr(f, PCI_COMMAND, 2, PCI_COMMAND_SERR | PCI_COMMAND_MASTER);
	scoped_guard(rwsem_write, &f->vdev.memory_lock) {
		cmd = vfio_pci_memory_force(&f->vdev);
		KUNIT_EXPECT_EQ(test, hw_word(f, PCI_COMMAND),
				PCI_COMMAND_SERR | PCI_COMMAND_MASTER |
				PCI_COMMAND_MEMORY);
		KUNIT_EXPECT_FALSE(test, vfio_pci_memory_enabled(&f->vdev));
		vfio_pci_memory_restore(&f->vdev, cmd);
	}
	KUNIT_EXPECT_EQ(test, hw_word(f, PCI_COMMAND),
			PCI_COMMAND_SERR | PCI_COMMAND_MASTER);
	close_fake(f);
}

static void pme_is_the_host_s(struct kunit *test)
{
	struct fake *f = open_fake(new_fake(test));
	unsigned int ctrl = PM_AT + PCI_PM_CTRL;

	KUNIT_EXPECT_EQ(test, rd(f, PM_AT + PCI_PM_PMC, 2), 0x0003);
	KUNIT_EXPECT_EQ(test, rd(f, ctrl, 2), 0);
	wr(f, ctrl, 2, PCI_PM_CTRL_PME_STATUS | PCI_PM_CTRL_PME_ENABLE | 0x0600);
	KUNIT_EXPECT_EQ(test, hw_word(f, ctrl),
			PCI_PM_CTRL_PME_STATUS | PCI_PM_CTRL_PME_ENABLE | 0x0600);
	wr(f, ctrl, 4, 0);
	KUNIT_EXPECT_EQ(test, hw_word(f, ctrl),
			PCI_PM_CTRL_PME_STATUS | PCI_PM_CTRL_PME_ENABLE);
	close_fake(f);
}

static void msi_control_follows_the_vectors(struct kunit *test)
{
	struct fake *f = open_fake(new_fake(test));
	unsigned int flags = MSI_AT + PCI_MSI_FLAGS;

	/* No vectors: the device is not told, and is not on */
	wr(f, flags, 2, 0x0071);
	KUNIT_EXPECT_EQ(test, rd(f, flags, 2), 0x01b6);
	KUNIT_EXPECT_EQ(test, hw_word(f, flags), 0x0186);
	KUNIT_EXPECT_EQ(test, f->writes, 0);

	/* Two vectors of the eight that the device could have */
	f->vdev.irq_type = VFIO_PCI_MSI_IRQ_INDEX;
	f->vdev.msi_qmax = 1;
	KUNIT_EXPECT_EQ(test, rd(f, flags, 2), 0x0192);
	wr(f, flags, 2, 0x0071);
	KUNIT_EXPECT_EQ(test, rd(f, flags, 2), 0x0193);
	KUNIT_EXPECT_EQ(test, rd(f, MSI_AT, 4), 0x01937005);
	KUNIT_EXPECT_EQ(test, rd(f, flags, 1), 0x93);
	KUNIT_EXPECT_EQ(test, hw_word(f, flags), 0x0197);
	wr(f, flags, 1, 0x01);
	KUNIT_EXPECT_EQ(test, hw_word(f, flags), 0x0187);
	/* The header and the other byte are no request */
	f->writes = 0;
	wr(f, MSI_AT, 2, 0);
	wr(f, flags + 1, 1, 0xff);
	KUNIT_EXPECT_EQ(test, f->writes, 0);

	/* Vectors gone: off for the user too */
	f->vdev.irq_type = VFIO_PCI_NUM_IRQS;
	f->vdev.msi_qmax = 0;
	KUNIT_EXPECT_EQ(test, rd(f, flags, 2), 0x0186);
	close_fake(f);
}

/* P13 */
static void device_control_keeps_the_host_s_sizes(struct kunit *test)
{
	struct fake *f = open_fake(new_fake(test));
	unsigned int ctl = EXP_AT + PCI_EXP_DEVCTL;

	/* The host's: payload 256 bytes, read requests 512 */
	KUNIT_EXPECT_EQ(test, rd(f, ctl, 2), 0x2020);
	wr(f, ctl, 4, 0xffff00a0);
	KUNIT_EXPECT_EQ(test, rd(f, ctl, 2), 0x00a0);
	/* 128 byte requests were asked for: a packet at least */
	KUNIT_EXPECT_EQ(test, hw_word(f, ctl), 0x1020);
	KUNIT_EXPECT_EQ(test, hw_word(f, EXP_AT + PCI_EXP_DEVSTA), 0x000f);

	wr(f, ctl, 2, 0x5000);
	KUNIT_EXPECT_EQ(test, hw_word(f, ctl), 0x5020);
	/* Sizes that do not exist */
	wr(f, ctl, 2, 0x7000);
	KUNIT_EXPECT_EQ(test, hw_word(f, ctl), 0x5020);

	/* A reset that the device cannot do, and phantom functions */
	wr(f, ctl, 2, PCI_EXP_DEVCTL_BCR_FLR | PCI_EXP_DEVCTL_PHANTOM | 0x5010);
	KUNIT_EXPECT_EQ(test, rd(f, ctl, 2), 0x5010);
	KUNIT_EXPECT_EQ(test, hw_word(f, ctl), 0x5030);
	wr(f, ctl + 1, 1, 0xff);
	KUNIT_EXPECT_EQ(test, hw_word(f, ctl) & 0x8200, 0);
	KUNIT_EXPECT_EQ(test, rd(f, ctl + 1, 1), 0x7d);

	wr(f, EXP_AT + PCI_EXP_DEVCTL2, 2, 0xffff);
	KUNIT_EXPECT_EQ(test, hw_word(f, EXP_AT + PCI_EXP_DEVCTL2), 0xffdf);
	wr(f, AF_AT + PCI_AF_CTRL, 1, PCI_AF_CTRL_FLR);
	KUNIT_EXPECT_EQ(test, rd(f, AF_AT + PCI_AF_CTRL, 1), 0);
	KUNIT_EXPECT_EQ(test, f->cfg[AF_AT + PCI_AF_CTRL], 0);
	close_fake(f);
}

/* The kernel knows of no VPD here, so no request is ever done */
static void failing_vpd_leaves_the_flag(struct kunit *test)
{
	struct fake *f = open_fake(new_fake(test));

	wr(f, VPD_AT + PCI_VPD_ADDR, 2, 0x0010);
	KUNIT_EXPECT_EQ(test, rd(f, VPD_AT + PCI_VPD_ADDR, 2), 0x0010);
	wr(f, VPD_AT + PCI_VPD_DATA, 4, 0x01020304);
	wr(f, VPD_AT + PCI_VPD_ADDR, 2, 0x8010);
	KUNIT_EXPECT_EQ(test, rd(f, VPD_AT + PCI_VPD_ADDR, 2), 0x8010);
	KUNIT_EXPECT_EQ(test, rd(f, VPD_AT + PCI_VPD_DATA, 4), 0x01020304);
	KUNIT_EXPECT_EQ(test, f->writes, 0);
	close_fake(f);
}

static void a_dump_equals_reading_byte_by_byte(struct kunit *test)
{
	struct fake *f = new_fake(test);
	unsigned int pos;
	u8 *dump;

	for (pos = 0x100; pos < sizeof(f->cfg); pos++)
		f->cfg[pos] = pos * 37;
	put_unaligned_le32(0x20017fff, &f->cfg[0x100]);
	put_unaligned_le32(0x00010003, &f->cfg[0x200]);
	open_fake(f);

	dump = kunit_kzalloc(test, sizeof(f->cfg), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, dump);
	KUNIT_EXPECT_EQ(test, 0, vfio_pci_config_block(&f->vdev, 0, dump,
						       sizeof(f->cfg), false));
	KUNIT_EXPECT_LE(test, f->reads, sizeof(f->cfg) / 4 + 2);
	for (pos = 0; pos < sizeof(f->cfg); pos++)
		KUNIT_EXPECT_EQ_MSG(test, rd(f, pos, 1), dump[pos], "at %#x",
				    pos);
	close_fake(f);
}

static void ranges_outside_the_space_are_refused(struct kunit *test)
{
	static const struct {
		loff_t pos;
		size_t count;
	} cases[] = {
		{ PCI_CFG_SPACE_EXP_SIZE, 1 },
		{ PCI_CFG_SPACE_EXP_SIZE - 1, 2 },
		{ 0, PCI_CFG_SPACE_EXP_SIZE + 1 },
		{ 0, SIZE_MAX },
		{ 4, SIZE_MAX - 3 },
		{ (1ULL << 40) - 1, 4 },
		{ -64, 128 },
		{ S64_MAX, 1 },
		{ S64_MIN, 1 },
	};
	struct fake *f = open_fake(new_fake(test));
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		KUNIT_EXPECT_EQ_MSG(test, -EFAULT,
				    vfio_pci_config_rw(&f->vdev, NULL,
						       cases[i].count,
						       cases[i].pos, i % 2),
				    "case %u", i);
	KUNIT_EXPECT_EQ(test, f->reads + f->writes, 0);
	close_fake(f);
}

static void a_dead_device_can_be_opened_and_closed(struct kunit *test)
{
	struct fake *f = new_fake(test);

	memset(f->cfg, 0xff, sizeof(f->cfg));
	open_fake(f);
	KUNIT_EXPECT_EQ(test, rd(f, PCI_CAPABILITY_LIST, 1), 0);
	wr(f, PCI_COMMAND, 2, DECODE);
	KUNIT_EXPECT_EQ(test, rd(f, 0x100, 4), 0xffffffff);
	close_fake(f);
	close_fake(f);
}

static struct kunit_case config_dev_cases[] = {
	KUNIT_CASE(memory_enable_is_tracked),
	KUNIT_CASE(a_vf_always_decodes_memory),
	KUNIT_CASE(disintx_is_virtual),
	KUNIT_CASE(intx_stays_masked_while_anybody_wants_it),
	KUNIT_CASE(a_missing_intx_has_no_pin),
	KUNIT_CASE(bars_are_sized_without_the_hardware),
	KUNIT_CASE(bars_come_back_after_a_backdoor_reset),
	KUNIT_CASE(memory_is_forced_on_and_restored),
	KUNIT_CASE(pme_is_the_host_s),
	KUNIT_CASE(msi_control_follows_the_vectors),
	KUNIT_CASE(device_control_keeps_the_host_s_sizes),
	KUNIT_CASE(failing_vpd_leaves_the_flag),
	KUNIT_CASE(a_dump_equals_reading_byte_by_byte),
	KUNIT_CASE(ranges_outside_the_space_are_refused),
	KUNIT_CASE(a_dead_device_can_be_opened_and_closed),
	{}
};

static struct kunit_suite config_dev_suite = {
	.name = "vfio_pci_config_dev",
	.test_cases = config_dev_cases,
};

kunit_test_suite(config_dev_suite);
