"""The embedded estate: emulated AWS and a local Raito Cloud. The product itself never imports it."""
