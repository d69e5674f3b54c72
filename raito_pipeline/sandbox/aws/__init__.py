"""The emulated AWS of the embedded estate: several accounts and regions behind one address on this machine."""
