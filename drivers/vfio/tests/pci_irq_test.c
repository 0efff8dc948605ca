// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of what each action answers for each interrupt index of a PCI
 * device, as far as it takes no hardware (P01, P02, P31).
 */
#include <kunit/test.h>
#include <linux/interrupt.h>
#include <linux/pci.h>

#include "../pci/private.h"

#define INTX	VFIO_PCI_INTX_IRQ_INDEX
#define MSI	VFIO_PCI_MSI_IRQ_INDEX
#define MSIX	VFIO_PCI_MSIX_IRQ_INDEX
#define ERR	VFIO_PCI_ERR_IRQ_INDEX
#define REQ	VFIO_PCI_REQ_IRQ_INDEX
#define OFF	VFIO_PCI_NUM_IRQS

#define NONE	VFIO_IRQ_SET_DATA_NONE
#define BOOL	VFIO_IRQ_SET_DATA_BOOL
#define EVENTFD	VFIO_IRQ_SET_DATA_EVENTFD
#define MASK	VFIO_IRQ_SET_ACTION_MASK
#define UNMASK	VFIO_IRQ_SET_ACTION_UNMASK
#define TRIGGER	VFIO_IRQ_SET_ACTION_TRIGGER

struct irq_case {
	const char *what;
	int in_use;		/* index that is in use */
	bool is_pcie;
	u32 index, flags, count;
	s32 data;
	int ret;
};

static const struct irq_case irq_cases[] = {
	/* INTx that is not in use has nothing to mask or signal */
	{ "INTx off, mask", OFF, 1, INTX, NONE | MASK, 1, 0, -EINVAL },
	{ "INTx off, mask by bool", OFF, 1, INTX, BOOL | MASK, 1, 1, -EINVAL },
	{ "INTx off, mask by fd", OFF, 1, INTX, EVENTFD | MASK, 1, -1, -EINVAL },
	{ "INTx off, unmask", OFF, 1, INTX, NONE | UNMASK, 1, 0, -EINVAL },
	{ "INTx off, unmask by fd", OFF, 1, INTX, EVENTFD | UNMASK, 1, -1, -EINVAL },
	{ "INTx off, loopback", OFF, 1, INTX, NONE | TRIGGER, 1, 0, -EINVAL },
	{ "INTx off, loopback by bool", OFF, 1, INTX, BOOL | TRIGGER, 1, 1, -EINVAL },
	{ "INTx off, tear down", OFF, 1, INTX, NONE | TRIGGER, 0, 0, -EINVAL },
	{ "no INTx, enable", OFF, 1, INTX, EVENTFD | TRIGGER, 1, -1, -ENODEV },
	{ "INTx while MSI is on", MSI, 1, INTX, EVENTFD | TRIGGER, 1, -1, -EINVAL },
	{ "INTx while MSI-X is on", MSIX, 1, INTX, EVENTFD | TRIGGER, 1, -1, -EINVAL },
	{ "INTx down while MSI is on", MSI, 1, INTX, NONE | TRIGGER, 0, 0, -EINVAL },

	/* MSI and MSI-X */
	{ "MSI mask", OFF, 1, MSI, NONE | MASK, 1, 0, -ENOTTY },
	{ "MSI unmask", OFF, 1, MSI, NONE | UNMASK, 1, 0, -ENOTTY },
	{ "MSI mask by fd", MSI, 1, MSI, EVENTFD | MASK, 1, -1, -ENOTTY },
	{ "MSI-X mask", MSIX, 1, MSIX, NONE | MASK, 1, 0, -ENOTTY },
	{ "MSI-X unmask by bool", OFF, 1, MSIX, BOOL | UNMASK, 1, 1, -ENOTTY },
	{ "MSI off, loopback", OFF, 1, MSI, NONE | TRIGGER, 1, 0, -EINVAL },
	{ "MSI off, tear down", OFF, 1, MSI, NONE | TRIGGER, 0, 0, -EINVAL },
	{ "MSI-X off, loopback", OFF, 1, MSIX, BOOL | TRIGGER, 1, 1, -EINVAL },
	{ "MSI while INTx is on", INTX, 1, MSI, EVENTFD | TRIGGER, 1, -1, -EINVAL },
	{ "MSI-X while MSI is on", MSI, 1, MSIX, EVENTFD | TRIGGER, 1, -1, -EINVAL },
	{ "MSI while MSI-X is on", MSIX, 1, MSI, NONE | TRIGGER, 0, 0, -EINVAL },
	{ "MSI on, loopback to none", MSI, 1, MSI, NONE | TRIGGER, 1, 0, 0 },
	{ "MSI on, disarm what is not armed", MSI, 1, MSI, EVENTFD | TRIGGER, 1, -1, 0 },

	/* errors */
	{ "errors of PCI", OFF, 0, ERR, EVENTFD | TRIGGER, 1, -1, -ENOTTY },
	{ "errors of PCI, nothing", OFF, 0, ERR, NONE | TRIGGER, 0, 0, -ENOTTY },
	{ "errors, clear", OFF, 1, ERR, EVENTFD | TRIGGER, 1, -1, 0 },
	{ "errors, bad fd", OFF, 1, ERR, EVENTFD | TRIGGER, 1, -2, -EINVAL },
	{ "errors, no fd", OFF, 1, ERR, EVENTFD | TRIGGER, 0, 0, -EINVAL },
	{ "errors, no bool", OFF, 1, ERR, BOOL | TRIGGER, 0, 0, -EINVAL },
	{ "errors, unheard", OFF, 1, ERR, NONE | TRIGGER, 1, 0, -EINVAL },
	{ "errors, nothing to clear", OFF, 1, ERR, NONE | TRIGGER, 0, 0, -EINVAL },
	{ "errors, bool", OFF, 1, ERR, BOOL | TRIGGER, 1, 1, 0 },
	{ "errors, mask", OFF, 1, ERR, NONE | MASK, 1, 0, -ENOTTY },
	{ "errors, unmask", OFF, 1, ERR, NONE | UNMASK, 1, 0, -ENOTTY },

	/* requests are of any bus and go beside any index in use */
	{ "requests, clear", OFF, 0, REQ, EVENTFD | TRIGGER, 1, -1, 0 },
	{ "requests beside MSI", MSI, 0, REQ, EVENTFD | TRIGGER, 1, -1, 0 },
	{ "requests, bad fd", OFF, 0, REQ, EVENTFD | TRIGGER, 1, -77, -EINVAL },
	{ "requests, unheard", OFF, 0, REQ, NONE | TRIGGER, 1, 0, -EINVAL },
	{ "requests, bool", OFF, 0, REQ, BOOL | TRIGGER, 1, 1, 0 },
	{ "requests, mask", OFF, 0, REQ, NONE | MASK, 1, 0, -ENOTTY },

	/* one action at a time */
	{ "no action", OFF, 1, REQ, NONE, 1, 0, -ENOTTY },
	{ "two actions", OFF, 1, INTX, NONE | MASK | UNMASK, 1, 0, -ENOTTY },
	{ "all actions", OFF, 1, REQ, EVENTFD | MASK | UNMASK | TRIGGER, 1, -1, -ENOTTY },
};

static void every_action_answers_as_the_table_says(struct kunit *test)
{
	struct vfio_pci_core_device *vdev;
	struct pci_dev *pdev;
	unsigned int i;

	vdev = kunit_kzalloc(test, sizeof(*vdev), GFP_KERNEL);
	pdev = kunit_kzalloc(test, sizeof(*pdev), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, vdev);
	KUNIT_ASSERT_NOT_NULL(test, pdev);
	vdev->pdev = pdev;
	vdev->nointx = true;
	mutex_init(&vdev->irq_lock);
	spin_lock_init(&vdev->intx.lock);
	xa_init(&vdev->ctx);

	for (i = 0; i < ARRAY_SIZE(irq_cases); i++) {
		const struct irq_case *c = &irq_cases[i];
		struct vfio_irq_set hdr = {
			.argsz = sizeof(hdr) + sizeof(c->data),
			.flags = c->flags,
			.index = c->index,
			.count = c->count,
		};
		int ret;

		vdev->irq_type = c->in_use;
		pdev->pcie_cap = c->is_pcie ? 0x40 : 0;
		ret = vfio_pci_apply_irq_set(vdev, &hdr,
					     c->count ? &c->data : NULL);
		KUNIT_EXPECT_EQ_MSG(test, ret, c->ret, "%s", c->what);
		KUNIT_EXPECT_EQ_MSG(test, vdev->irq_type, c->in_use, "%s",
				    c->what);
	}
}

/* The pin, as a device's config space tells it; nothing else is asked for. */
static int pin_read(struct pci_bus *bus, unsigned int devfn, int pos, int size,
		    u32 *value)
{
	const u8 *pin = bus->sysdata;

	*value = pos == PCI_INTERRUPT_PIN ? *pin : 0;
	return PCIBIOS_SUCCESSFUL;
}

struct intx_case {
	const char *what;
	u8 pin;
	unsigned int irq;
	u16 device;		/* of Intel */
	bool is_virtfn;
	bool nointxmask;	/* the parameter */
	bool is_broken;		/* the base kernel's quirk */
	bool has_intx;
	bool can_mask;
};

static const struct intx_case intx_cases[] = {
	{ "a line", 1, 11, 0x10d3, .has_intx = true, .can_mask = true },
	{ "a line of another pin", 4, 11, 0x10d3, .has_intx = true, .can_mask = true },
	{ "no pin", 0, 11, 0x10d3, .can_mask = true },
	{ "a pin without a line", 1, 0, 0x10d3, .can_mask = true },
	{ "a line not connected", 1, IRQ_NOTCONNECTED, 0x10d3, .can_mask = true },
	{ "a virtual function", 1, 11, 0x10d3, .is_virtfn = true, .can_mask = true },
	{ "masking not wanted", 1, 11, 0x10d3, .nointxmask = true, .has_intx = true },
	{ "masking broken", 1, 11, 0x10d3, .is_broken = true, .has_intx = true },
	/* Status that never shows a line hides it, where that would be asked. */
	{ "i40e", 1, 11, 0x1572, .can_mask = true },
	{ "X550", 1, 11, 0x1563, .can_mask = true },
	{ "i40e, masking not wanted", 1, 11, 0x1572, .nointxmask = true,
	  .has_intx = true },
};

/* P31: one place decides, so that no interrupt is offered that cannot come. */
static void a_line_is_offered_where_there_is_one(struct kunit *test)
{
	struct pci_ops ops = { .read = pin_read };
	struct vfio_pci_core_device *vdev;
	struct pci_dev *pdev;
	struct pci_bus *bus;
	unsigned int i;
	u8 pin;

	vdev = kunit_kzalloc(test, sizeof(*vdev), GFP_KERNEL);
	pdev = kunit_kzalloc(test, sizeof(*pdev), GFP_KERNEL);
	bus = kunit_kzalloc(test, sizeof(*bus), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, vdev);
	KUNIT_ASSERT_NOT_NULL(test, pdev);
	KUNIT_ASSERT_NOT_NULL(test, bus);
	vdev->pdev = pdev;
	pdev->bus = bus;
	pdev->vendor = PCI_VENDOR_ID_INTEL;
	bus->ops = &ops;
	bus->sysdata = &pin;

	for (i = 0; i < ARRAY_SIZE(intx_cases); i++) {
		const struct intx_case *c = &intx_cases[i];

		pin = c->pin;
		pdev->irq = c->irq;
		pdev->device = c->device;
		pdev->is_virtfn = c->is_virtfn;
		pdev->broken_intx_masking = c->is_broken;
		vdev->nointxmask = c->nointxmask;
		KUNIT_EXPECT_EQ(test, 0, vfio_pci_intx_probe(vdev));
		KUNIT_EXPECT_EQ_MSG(test, c->has_intx, !vdev->nointx, "%s",
				    c->what);
		KUNIT_EXPECT_EQ_MSG(test, c->can_mask, vdev->pci_2_3, "%s",
				    c->what);
	}
}

static struct kunit_case pci_irq_cases[] = {
	KUNIT_CASE(every_action_answers_as_the_table_says),
	KUNIT_CASE(a_line_is_offered_where_there_is_one),
	{}
};

static struct kunit_suite pci_irq_suite = {
	.name = "vfio_pci_irq",
	.test_cases = pci_irq_cases,
};

kunit_test_suite(pci_irq_suite);
