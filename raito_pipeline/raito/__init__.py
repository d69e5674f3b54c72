"""The client of Raito Cloud: login, GraphQL, upload, jobs, import files, export."""
