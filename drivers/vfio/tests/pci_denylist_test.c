// SPDX-License-Identifier: GPL-2.0-only
/* KUnit tests of which devices the stock driver does not take (P46). */
#include <kunit/test.h>
#include <linux/pci.h>

#include "../pci/private.h"

static const struct {
	u16 vendor;
	u16 device;
	bool is_denied;
} cases[] = {
	/* QuickAssist, physical and virtual functions. */
	{ PCI_VENDOR_ID_INTEL, 0x19e2, true },
	{ PCI_VENDOR_ID_INTEL, 0x19e3, true },
	{ PCI_VENDOR_ID_INTEL, 0x37c8, true },
	{ PCI_VENDOR_ID_INTEL, 0x37c9, true },
	{ PCI_VENDOR_ID_INTEL, 0x0435, true },
	{ PCI_VENDOR_ID_INTEL, 0x0443, true },
	/* Streaming and analytics accelerators of Sapphire Rapids. */
	{ PCI_VENDOR_ID_INTEL, 0x0b25, true },
	{ PCI_VENDOR_ID_INTEL, 0x0cfe, true },
	/* Their successors, their neighbours, and strangers of the same number. */
	{ PCI_VENDOR_ID_INTEL, 0x4940, false },
	{ PCI_VENDOR_ID_INTEL, 0x1212, false },
	{ PCI_VENDOR_ID_INTEL, 0x19e1, false },
	{ PCI_VENDOR_ID_INTEL, 0x19e4, false },
	{ PCI_VENDOR_ID_INTEL, 0x10ca, false },
	{ PCI_VENDOR_ID_INTEL, 0xffff, false },
	{ PCI_VENDOR_ID_AMD, 0x19e2, false },
	{ PCI_VENDOR_ID_REDHAT, 0x0b25, false },
	{ 0, 0, false },
};

static struct pci_dev *make_device(struct kunit *test, u16 vendor, u16 device)
{
	struct pci_dev *pdev = kunit_kzalloc(test, sizeof(*pdev), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, pdev);
	pdev->vendor = vendor;
	pdev->device = device;
	pdev->subsystem_vendor = vendor;
	pdev->class = 0x0b4000;
	pdev->dev.init_name = "fake";
	return pdev;
}

static void dangerous_devices_are_not_taken(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		KUNIT_EXPECT_EQ_MSG(test, cases[i].is_denied,
				    vfio_pci_is_denied(make_device(test, cases[i].vendor,
								   cases[i].device),
						       false),
				    "%04x:%04x", cases[i].vendor, cases[i].device);
}

static void any_device_is_taken_when_the_list_is_off(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		KUNIT_EXPECT_FALSE_MSG(test,
				       vfio_pci_is_denied(make_device(test,
								      cases[i].vendor,
								      cases[i].device),
							  true),
				       "%04x:%04x", cases[i].vendor, cases[i].device);
}

static struct kunit_case denylist_cases[] = {
	KUNIT_CASE(dangerous_devices_are_not_taken),
	KUNIT_CASE(any_device_is_taken_when_the_list_is_off),
	{}
};

static struct kunit_suite denylist_suite = {
	.name = "vfio_pci_denylist",
	.test_cases = denylist_cases,
};

kunit_test_suite(denylist_suite);
