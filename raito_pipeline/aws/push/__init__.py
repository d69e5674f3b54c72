"""The push: access controls of Raito Cloud become changes of AWS, planned first, then made, then reported."""
