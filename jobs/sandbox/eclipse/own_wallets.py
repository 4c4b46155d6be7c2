"""Wallets that the platform opens by itself, where the settings say so: with the customer, before any KYC."""

from jobs.sandbox.eclipse.store import Customer
from jobs.sandbox.eclipse.world import World


def open_all(world: World, customer: Customer) -> None:
    """One of each type in `own_wallets`, in rand, with a key of the platform's."""
    for kind in world.settings.own_wallets:
        key = f"own-{customer.customer_id}-{kind}"
        fields = {"walletTypeId": kind, "currency": "ZAR", "status": "ACTIVE", "externalUniqueId": key}
        world.store.add_wallet(customer, fields, world.clock.now(), own=True)
